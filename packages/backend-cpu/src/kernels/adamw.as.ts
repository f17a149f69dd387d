// AdamW in place, with each product and sum rounded to f32 as core's optim/adamw.ts rounds them.

/**
 * ĝ = gradScale·g, m ← m + gain1·(ĝ − m), v ← v·keep2 + (gain2·ĝ)·ĝ, p ← p·keep + (rate·m) / (√v / correction + small).
 * Tasks are chunks of `chunk` elements.
 */
export function adamW(
  p: usize, m: usize, v: usize, g: usize, gradScale: usize, keep: f32, gain1: f32, keep2: f32, gain2: f32, rate: f32, correction: f32, small: f32,
  total: usize, chunk: usize, begin: usize, end: usize,
): void {
  const factor = v128.load32_splat(gradScale), last = min(end * chunk, total) << 2;
  const k = f32x4.splat(keep), a = f32x4.splat(gain1), k2 = f32x4.splat(keep2), b = f32x4.splat(gain2);
  const r = f32x4.splat(rate), c = f32x4.splat(correction), s = f32x4.splat(small);
  let i = begin * chunk << 2;
  for (; i + 16 <= last; i += 16) {
    const grad = f32x4.mul(v128.load(g + i), factor), before = v128.load(m + i);
    const m1 = f32x4.add(before, f32x4.mul(a, f32x4.sub(grad, before)));
    const v1 = f32x4.add(f32x4.mul(v128.load(v + i), k2), f32x4.mul(f32x4.mul(b, grad), grad));
    const step = f32x4.div(f32x4.mul(r, m1), f32x4.add(f32x4.div(f32x4.sqrt(v1), c), s));
    v128.store(m + i, m1);
    v128.store(v + i, v1);
    v128.store(p + i, f32x4.add(f32x4.mul(v128.load(p + i), k), step));
  }
  const one = load<f32>(gradScale);
  for (; i < last; i += 4) {
    const grad = load<f32>(g + i) * one, before = load<f32>(m + i);
    const m1 = before + gain1 * (grad - before);
    const v1 = load<f32>(v + i) * keep2 + gain2 * grad * grad;
    store<f32>(m + i, m1);
    store<f32>(v + i, v1);
    store<f32>(p + i, load<f32>(p + i) * keep + (rate * m1) / (sqrt<f32>(v1) / correction + small));
  }
}
