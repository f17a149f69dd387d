// The five operations of f32 as IEEE 754 rounds them, at nearly the speed of the hardware's. A GPU rounds sums and products to nearest; what a compiler may
// do is to fuse or reorder them, so each result passes a barrier that it cannot see through: exclusive or with a param that is 0. Quotients and roots are
// math.ts's. Subnormal sums and products are left to the GPU, which may take them for 0; exact.ts has them too.
import { MATH } from "./math.ts";

/** `sum`, `product`, `divide` and `sqrt_`. Reads `params.zero`, which must be 0. */
export const ROUNDED = `${MATH.divide}
${MATH.squareRoot}
fn settled(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ params.zero); }
fn sum(a: f32, b: f32) -> f32 { return settled(a + b); }
fn product(a: f32, b: f32) -> f32 { return settled(a * b); }`;
