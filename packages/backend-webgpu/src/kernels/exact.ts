// Arithmetic of f32 on its bits, as IEEE 754 has it: to nearest, ties to even, with subnormals, infinities and NaN. WGSL's own may round either way, flush
// subnormals, fuse a product with the sum after it, divide to 2.5 units in the last place, and assume that there is no NaN (§15.7). Slow beside
// the hardware's; for what must come out bit for bit.
import { MATH } from "./math.ts";

const number = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** The bits of an f32 as a literal of WGSL. */
export const bitsOf = (value: number): string => `0x${number(value).toString(16)}u`;

/** An f32 as a whole number that is ordered as the values are; both zeros are 0. In WGSL: `ordered`. */
export function orderOf(value: number): number {
  const bits = number(value);
  return bits >>> 31 ? -(bits & 0x7fffffff) : bits;
}

/** `product`, `quotient`, `total` and `ordered`, of bits. */
export const EXACT = `${MATH.quotient}
const NAN = 0x7fc00000u;
const INFINITY = 0x7f800000u;

fn magnitude(a: u32) -> u32 { return a & 0x7fffffffu; }
fn ordered(a: u32) -> i32 { return select(i32(magnitude(a)), -i32(magnitude(a)), a >> 31u == 1u); }

// ± m·2^(e − 31), where the highest bit of m is set; the lowest one also stands for all that was cut off below
fn rounded(sign: u32, e: i32, m: u32) -> u32 {
  if (e > 127) { return sign | INFINITY; }
  let cut = 8u + u32(max(-126 - e, 0));
  if (cut > 32u) { return sign; }
  var kept = 0u;
  var rest = m;
  if (cut < 32u) {
    kept = m >> cut;
    rest = m & ((1u << cut) - 1u);
  }
  let half = 1u << (cut - 1u);
  if (rest > half || (rest == half && (kept & 1u) == 1u)) { kept++; }
  return sign | ((u32(max(e + 126, 0)) << 23u) + kept);
}

struct Parts { e: i32, m: u32 }
// a = m·2^(e − 31), the highest bit of m set. a: a magnitude, neither 0 nor infinite nor NaN
fn parts(a: u32) -> Parts {
  let fraction = a & 0x7fffffu;
  let zeros = countLeadingZeros(fraction);
  if (a < 0x800000u) { return Parts(-118 - i32(zeros), fraction << (zeros & 31u)); }
  return Parts(i32(a >> 23u) - 127, (fraction | 0x800000u) << 8u);
}

// a·b: 24 × 24 bits in halves of 12
fn product(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & 0x80000000u;
  let larger = max(magnitude(a), magnitude(b));
  let smaller = min(magnitude(a), magnitude(b));
  if (larger > INFINITY || (larger == INFINITY && smaller == 0u)) { return NAN; }
  if (larger == INFINITY || smaller == 0u) { return sign | select(larger, 0u, smaller == 0u); }
  let p = parts(magnitude(a));
  let q = parts(magnitude(b));
  let ph = p.m >> 20u;
  let pl = (p.m >> 8u) & 0xfffu;
  let qh = q.m >> 20u;
  let ql = (q.m >> 8u) & 0xfffu;
  let middle = ph * ql + pl * qh + ((pl * ql) >> 12u);
  let high = ph * qh + (middle >> 12u);
  let low = ((middle & 0xfffu) << 12u) | ((pl * ql) & 0xfffu);
  let carry = high >> 23u;
  let m = (high << (9u - carry)) | (low >> (15u + carry)) | select(0u, 1u, low << (17u - carry) != 0u);
  return rounded(sign, p.e + q.e + i32(carry), m);
}

// a + b, with 7 bits below the last place of the larger
fn total(a: u32, b: u32) -> u32 {
  let swapped = magnitude(a) < magnitude(b);
  let large = select(a, b, swapped);
  let small = select(b, a, swapped);
  let x = magnitude(large);
  let y = magnitude(small);
  if (x > INFINITY || (y == INFINITY && a != b)) { return NAN; }
  if (x == 0u) { return a & b; }
  if (x == INFINITY || y == 0u) { return large; }
  let p = parts(x);
  let q = parts(y);
  let distance = u32(p.e - q.e);
  var part = 1u;
  if (distance < 31u) { part = ((q.m >> 1u) >> distance) | select(0u, 1u, ((q.m >> 1u) & ((1u << distance) - 1u)) != 0u); }
  let m = select((p.m >> 1u) - part, (p.m >> 1u) + part, (a ^ b) >> 31u == 0u);
  if (m == 0u) { return 0u; }
  let zeros = countLeadingZeros(m);
  return rounded(large & 0x80000000u, p.e + 1 - i32(zeros), m << zeros);
}`;
