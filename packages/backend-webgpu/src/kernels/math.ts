// Functions of f32 in WGSL, whose own may be less exact than the other backends (§15.7.4 gives exp 3 + 2·|x| units in the last place, division 2.5 and only
// for some divisors), flush small numbers, and assume that there are no NaNs and infinities. Here what is special is told by its bits and made of bits, and
// no step leans on the order of sums that a compiler may change. Texts stand beside each other; exp_ comes with sigmoid, tanh_ and erf too.

const isNan = `fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`;

// x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^x = 2ⁿ·(1 + r + r²·q(r)); q is the minimax polynomial of backend-cpu's exp.as.ts. ln 2 is split so that n times its
// first part is exact. 2ⁿ goes into the exponent's bits; where the result would be subnormal, times 2⁶⁴ and back.
const exp = `fn exp_(x: f32) -> f32 {
  let near = clamp(x, -105.0, 88.75);
  let n = round(near * 1.4426950408889634);
  let r = fma(-n, -2.12194440e-4, fma(-n, 0.693359375, near));
  let q = fma(fma(fma(fma(0.00138144670597, r, 0.00836878041111), r, 0.0416683942109), r, 0.166665201078), r, 0.499999934125);
  let bits = bitcast<i32>(1.0 + fma(r * r, q, r));
  let tiny = near < -87.0;
  let y = bitcast<f32>(bits + ((i32(n) + select(0, 64, tiny)) << 23u));
  var result = bitcast<u32>(select(y, y * 0x1p-64f, tiny));
  let own = bitcast<u32>(x);
  if (own >= 0x42b17218u && own <= 0x7f800000u) { result = 0x7f800000u; }
  if ((own & 0x7fffffffu) > 0x7f800000u) { result = own; }
  return bitcast<f32>(result);
}`;

// x = 2ᵉ·(1 + f) with 1 + f in [√½, √2), ln x = e·ln 2 + f − f²/2 + f³·p(f); p is that of backend-cpu's log.as.ts.
const log = `fn log_(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) == 0u) { var least = 0xff800000u; return bitcast<f32>(least); }
  if (own > 0x80000000u) { var nan = 0x7fc00000u; return bitcast<f32>(nan); }
  if (own >= 0x7f800000u) { return x; }
  let shift = select(0u, countLeadingZeros(own) - 8u, own < 0x800000u);
  let normal = i32(own << shift) - i32(shift << 23u);
  let e = (normal - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(normal - (e << 23u)) - 1.0;
  var p = fma(fma(fma(0.0674665152336, f, -0.116756545708), f, 0.11888158847), f, -0.124055882416);
  p = fma(fma(fma(p, f, 0.142195527325), f, -0.166679959049), f, 0.200021186426);
  p = fma(fma(p, f, -0.250000095983), f, 0.333333126043);
  let n = f32(e);
  let square = f * f;
  let rest = fma(-0.5, square, fma(n, -2.12194440e-4, square * f * p));
  return fma(n, 0.693359375, f + rest);
}`;

// a = fa·2^ea, b = fb·2^eb with whole fa, fb of 24 bits: the quotient of these, guessed by the GPU and put right by the remainder, which is small and so
// exact modulo 2³². Rounded to nearest even, as IEEE 754 has it, subnormal results too.
const quotient = `fn quotient(a: u32, b: u32) -> u32 {
  let ia = a & 0x7fffffffu;
  let ib = b & 0x7fffffffu;
  let sign = (a ^ b) & 0x80000000u;
  var result = 0u;
  if (ia > 0x7f800000u || ib > 0x7f800000u || (ia == 0u && ib == 0u) || (ia == 0x7f800000u && ib == 0x7f800000u)) { return 0x7fc00000u; }
  if (ia == 0x7f800000u || ib == 0u) { result = 0x7f800000u; }
  else if (ia != 0u && ib != 0x7f800000u) { result = divide_magnitudes(ia, ib); }
  return result | sign;
}
fn divide_magnitudes(ia: u32, ib: u32) -> u32 {
  let sa = select(0u, countLeadingZeros(ia) - 8u, ia < 0x800000u);
  let sb = select(0u, countLeadingZeros(ib) - 8u, ib < 0x800000u);
  let small_a = ia < 0x800000u;
  let small_b = ib < 0x800000u;
  var fa = select((ia & 0x7fffffu) | 0x800000u, ia << sa, small_a);
  let fb = select((ib & 0x7fffffu) | 0x800000u, ib << sb, small_b);
  var e = select(i32(ia >> 23u), 1 - i32(sa), small_a) - select(i32(ib >> 23u), 1 - i32(sb), small_b) + 126;
  if (fa < fb) { fa = fa << 1u; e = e - 1; }
  var q = u32(f32(fa) / f32(fb) * 8388608.0);
  var rest = i32((fa << 23u) - q * fb);
  while (rest < 0) { q = q - 1u; rest = rest + i32(fb); }
  while (rest >= i32(fb)) { q = q + 1u; rest = rest - i32(fb); }
  let half = select(0u, 1u, 2 * rest >= i32(fb));
  var wide = (q << 2u) | (half << 1u) | select(0u, 1u, 2 * rest != i32(half * fb));
  if (e < 0) {
    let s = min(u32(-e), 30u);
    wide = (wide >> s) | select(0u, 1u, (wide & ((1u << s) - 1u)) != 0u);
    e = 0;
  }
  let rounded = (wide + 1u + ((wide >> 2u) & 1u)) >> 2u;
  return select(min(rounded + (u32(e) << 23u), 0x7f800000u), 0x7f800000u, e > 254);
}`;

const divide = `${quotient}
fn divide(a: f32, b: f32) -> f32 { return bitcast<f32>(quotient(bitcast<u32>(a), bitcast<u32>(b))); }`;

// x = m·2^e with whole m of 24 bits and even e: the root of m·2²³ or m·2²⁴, guessed by the GPU and put right by the remainder; correctly rounded.
const squareRoot = `fn sqrt_(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) == 0u || (own & 0x7fffffffu) > 0x7f800000u || own == 0x7f800000u) { return x; }
  if (own > 0x80000000u) { var nan = 0x7fc00000u; return bitcast<f32>(nan); }
  let small = own < 0x800000u;
  let shift = select(0u, countLeadingZeros(own) - 8u, small);
  let m = select((own & 0x7fffffu) | 0x800000u, own << shift, small);
  let e = select(i32(own >> 23u), 1 - i32(shift), small) - 127;
  let odd = u32(e & 1);
  var s = u32(sqrt(f32(m) * select(8388608.0, 16777216.0, odd == 1u)));
  var rest = i32((m << (23u + odd)) - s * s);
  while (rest < 0) { s = s - 1u; rest = rest + i32(2u * s + 1u); }
  while (rest > i32(2u * s)) { rest = rest - i32(2u * s + 1u); s = s + 1u; }
  s = s + select(0u, 1u, rest > i32(s));
  return bitcast<f32>(s + (u32((e >> 1u) + 126) << 23u));
}`;

// |x|·2/π = quadrant + fraction, through as many digits of 2/π as matter where x has any size (Payne & Hanek 1983), then minimax polynomials on [−π/4, π/4]:
// sin r = r + r³·p(r²) (relative error 4·10⁻⁹), cos r = 1 − r²/2 + r⁴·q(r²) (10⁻¹⁰).
const trigonometric = `const TWO_OVER_PI = array<u32, 8>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}
fn digits(at: u32) -> u32 {
  let o = at & 31u;
  let word = TWO_OVER_PI[at >> 5u];
  return select((word << o) | (TWO_OVER_PI[(at >> 5u) + 1u] >> (32u - o)), word, o == 0u);
}
fn sine_of_quadrant(own: u32, quadrants: u32) -> f32 {
  let size = own & 0x7fffffffu;
  if (size >= 0x7f800000u) { var nan = 0x7fc00000u; return bitcast<f32>(nan); }
  var r = bitcast<f32>(size);
  var quadrant = quadrants;
  if (size > 0x3f490fdau) {
    let m = (size & 0x7fffffu) | 0x800000u;
    let at = (size >> 23u) - 120u;
    let middle = m * digits(at + 32u);
    let low = middle + multiply_high(m, digits(at + 64u));
    let high = m * digits(at) + multiply_high(m, digits(at + 32u)) + select(0u, 1u, low < middle);
    quadrant = quadrant + ((high + 0x20000000u) >> 30u);
    let fraction = bitcast<i32>((high << 2u) | (low >> 30u));
    r = fma(f32(fraction), 0x1p-32f, f32(low << 2u) * 0x1p-64f) * 1.5707963267948966;
  }
  let z = r * r;
  let sine = fma(r * z, fma(fma(-0.000195152180557, z, 0.00833216029135), z, -0.166666546023), r);
  let cosine = fma(z * z, fma(fma(2.44330826905e-5, z, -0.00138873156165), z, 0.0416666456702), fma(-0.5, z, 1.0));
  return bitcast<f32>(bitcast<u32>(select(sine, cosine, (quadrant & 1u) == 1u)) ^ ((quadrant & 2u) << 30u));
}
fn sin_(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  return bitcast<f32>(bitcast<u32>(sine_of_quadrant(own, 0u)) ^ (own & 0x80000000u));
}
fn cos_(x: f32) -> f32 { return sine_of_quadrant(bitcast<u32>(x), 1u); }`;

// x + x³·p(x²) where |x| < 0.625, else ±(1 − 2 / (e^(2·|x|) + 1)); p is that of backend-cpu's tanh.as.ts.
const tanh = `${exp}
fn tanh_(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) > 0x7f800000u) { return x; }
  let size = min(bitcast<f32>(own & 0x7fffffffu), 10.0);
  let z = size * size;
  let p = fma(fma(fma(fma(-0.00570498699346, z, 0.0206390872447), z, -0.0537397150858), z, 0.133314421982), z, -0.33333281942);
  let y = select(1.0 - 2.0 / (exp_(2.0 * size) + 1.0), fma(size * z, p, size), size < 0.625);
  return bitcast<f32>(bitcast<u32>(y) | (own & 0x80000000u));
}`;

// With e = e^(−|x|) it is 1 / (1 + e) for x ≥ 0 and e / (1 + e) below, so no exponential overflows.
const sigmoid = `${exp}
fn sigmoid(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) > 0x7f800000u) { return x; }
  let e = exp_(bitcast<f32>(own | 0x80000000u));
  return select(1.0, e, own >= 0x80000000u) / (1.0 + e);
}`;

// x·q(x²) where |x| < 1, else ±(1 − e^(−x²)·r(1 / (1 + |x|/2))); q and r are those of backend-cpu's erf.as.ts; ±1 in f32 beyond 4.
const erf = `${exp}
fn erf(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) > 0x7f800000u) { return x; }
  let size = min(bitcast<f32>(own & 0x7fffffffu), 4.0);
  let z = size * size;
  var q = fma(fma(fma(-0.000563118003843, z, 0.00491748412455), z, -0.0267112431129), z, 0.112801770764);
  q = fma(fma(q, z, -0.376123256318), z, 1.12837912221);
  let u = 1.0 / fma(0.5, size, 1.0);
  var r = fma(fma(fma(-0.230734602313, u, 0.636483489489), u, -0.0642309837216), u, 0.396668346829);
  r = fma(fma(r, u, 0.259739417805), u, 0.00181799361702);
  let y = select(1.0 - exp_(-z) * r, size * q, size < 1.0);
  return bitcast<f32>(bitcast<u32>(y) | (own & 0x80000000u));
}`;

/** `quotient` is `divide` on bits. */
export const MATH = { isNan, exp, log, quotient, divide, squareRoot, trigonometric, tanh, sigmoid, erf };
