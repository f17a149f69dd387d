// The five operations of f32 as IEEE 754 rounds them, at nearly the speed of the hardware's. A GPU rounds sums and products to nearest; what a compiler may
// do is to fuse or reorder them, so each result passes a barrier that it cannot see through: exclusive or with a param that is 0. Quotients and roots
// are the hardware's estimates, put right with an exact remainder. Subnormal numbers are left to the GPU, which may take them for 0; exact.ts has them too.

/** sum, product, quotient and root. Reads `params.zero`, which must be 0. */
export const ROUNDED = `
fn settled(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ params.zero); }
fn sum(a: f32, b: f32) -> f32 { return settled(a + b); }
fn product(a: f32, b: f32) -> f32 { return settled(a * b); }

fn exponent(bits: u32) -> i32 { return i32((bits >> 23u) & 255u); }
fn significand(bits: u32) -> u32 { return (bits & 0x7fffffu) | 0x800000u; }
// neither 0 nor subnormal nor infinite nor NaN
fn is_normal(bits: u32) -> bool { return exponent(bits) > 0 && exponent(bits) < 255; }
// a number of 25 binary digits to the 24 of an f32. It lies never halfway: such a quotient or root would have divided or been squared to more than 24 digits
fn assembled(sign: u32, e: i32, digits: u32) -> f32 {
  if (e >= 255) { return bitcast<f32>(sign | 0x7f800000u | params.zero); }
  if (e <= 0) { return bitcast<f32>(sign); }
  return bitcast<f32>(sign | ((u32(e - 1) << 23u) + ((digits + 1u) >> 1u)));
}

// a / b. q = ⌊2²⁴·m / n⌋ of the significands, from an estimate whose remainder 2²⁴·m − q·n is small enough to be exact in 32 bits
fn quotient(a: f32, b: f32) -> f32 {
  let x = bitcast<u32>(a);
  let y = bitcast<u32>(b);
  if (!is_normal(x) || !is_normal(y)) { return settled(a / b); }
  let n = significand(y);
  let carry = select(0u, 1u, significand(x) < n);
  let m = significand(x) << carry;
  var q = u32(f32(m) / f32(n) * 16777216.0);
  var rest = bitcast<i32>((m << 24u) - q * n);
  while (rest < 0) {
    q--;
    rest += i32(n);
  }
  while (rest >= i32(n)) {
    q++;
    rest -= i32(n);
  }
  return assembled((x ^ y) & 0x80000000u, exponent(x) - exponent(y) + 127 - i32(carry), q);
}

// √a. r = ⌊√(2²⁵·m)⌋ where a = m·2^(e − 23) with e even, in the same way; the remainder is 2²⁵·m − r²
fn root(a: f32) -> f32 {
  let x = bitcast<u32>(a);
  if (!is_normal(x) || x >> 31u == 1u) { return settled(sqrt(a)); }
  let e = exponent(x) - 127;
  let m = significand(x) << u32(e & 1);
  var r = u32(sqrt(f32(m)) * 5792.6187514801984);
  var rest = bitcast<i32>((m << 25u) - r * r);
  while (rest < 0) {
    r--;
    rest += i32(2u * r + 1u);
  }
  while (rest > i32(2u * r)) {
    rest -= i32(2u * r + 1u);
    r++;
  }
  return assembled(0u, (e >> 1u) + 127, r);
}`;
