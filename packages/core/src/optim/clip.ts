// Clipping by the norm of all gradients together, as torch.nn.utils.clip_grad_norm_: one number that every gradient is multiplied by.

/** The L2 norm over all elements of all gradients: the norm of the norms, each summed in f64 and rounded to f32. */
export function gradientNorm(gradients: Iterable<Float32Array>): number {
  let squares = 0;
  for (const gradient of gradients) squares += normOf(gradient) ** 2;
  return Math.fround(Math.sqrt(squares));
}

function normOf(gradient: Float32Array): number {
  let squares = 0;
  for (const g of gradient) squares += g * g;
  return Math.fround(Math.sqrt(squares));
}

/**
 * What gradients of that norm are multiplied by so that it is at most `maxNorm`: min(1, maxNorm / (norm + 1e-6)) in f32.
 * 1 where the norm is small enough already, NaN where it is NaN.
 */
export function clipCoefficient(norm: number, maxNorm: number): number {
  const padded = Math.fround(Math.fround(norm) + Math.fround(1e-6));
  return Math.min(1, Math.fround(Math.fround(maxNorm) / padded));
}
