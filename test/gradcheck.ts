// Gradients by central differences of a float64 reference: independent of the tape, of its rules, and of f32.
import type { Value } from "./value.ts";

/** Small enough for the square of it to vanish, large enough for the difference to keep ten digits. */
const STEP = 1e-5;

/** d(Σ seed·f(inputs)) / d(inputs[position]), element by element. `f` gives the values of all outputs, `seeds` one a value. */
export function centralDifferences(
  f: (inputs: readonly Value[]) => readonly Value[],
  inputs: readonly Value[],
  position: number,
  seeds: readonly Value[],
): Value {
  const x = inputs[position]!;
  const objective = (data: readonly number[]): number => {
    const outputs = f(inputs.map((v, i) => (i === position ? { ...x, data } : v)));
    return outputs.reduce((sum, y, o) => sum + y.data.reduce((part, value, i) => part + value * seeds[o]!.data[i]!, 0), 0);
  };
  const data = x.data.map((value, i) => {
    const step = STEP * Math.max(1, Math.abs(value));
    return (objective(x.data.with(i, value + step)) - objective(x.data.with(i, value - step))) / (2 * step);
  });
  return { ...x, data };
}
