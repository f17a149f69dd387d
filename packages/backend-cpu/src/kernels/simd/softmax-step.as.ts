// One step of a running softmax over blocks of scores (Milakov & Gimelshein 2018, "Online normalizer calculation for softmax").
import { expNegative4 } from "./exp.as";
import { largest } from "./largest.as";

/** Turns `seen` scores of a row into e^(score − m), zeros up to `width`, and moves m, the total, and the factor for what was summed under the old m. */
@inline
export function softmaxStep(row: usize, seen: usize, width: usize, factor: usize, m: usize, total: usize): void {
  if (seen == 0) {
    memory.fill(row, 0, width << 2);
    store<f32>(factor, 1);
    return;
  }
  const end = row + (width << 2);
  for (let p = row + (seen << 2); p < end; p += 4) store<f32>(p, -Infinity);
  const before = load<f32>(m);
  const now = max<f32>(before, largest(row, width));
  const shift = f32x4.splat(now);
  let sum = f32x4.splat(0);
  for (let p = row; p < end; p += 16) {
    const e = expNegative4(f32x4.sub(v128.load(p), shift));
    sum = f32x4.add(sum, e);
    v128.store(p, e);
  }
  const f = f32x4.extract_lane(expNegative4(f32x4.splat(before - now)), 0);
  store<f32>(m, now);
  store<f32>(factor, f);
  store<f64>(total, load<f64>(total) * <f64>f + <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1) + <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3));
}
