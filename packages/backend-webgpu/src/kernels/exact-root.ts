// The square root of an f32 on its bits, to nearest: the one function of IEEE 754 that exact.ts, whose functions it calls, leaves out.

/** `fn root(a: u32) -> u32`. Goes after EXACT in a program. */
export const EXACT_ROOT = `
// √a, two bits of a and one of the root at a time. With a = m·2^(e − 31), e made even: √a = √m·…
fn root(a: u32) -> u32 {
  if (magnitude(a) == 0u) { return a; }
  if (a > INFINITY) { return NAN; } // negative, or NaN already
  if (a == INFINITY) { return a; }
  let p = parts(a);
  var digits = select(p.m >> 1u, p.m, (p.e & 1) == 1); // a number in [1, 4), two bits of it whole; m ends in zeros
  var rest = 0u;
  var found = 0u;
  for (var bit = 0u; bit < 26u; bit++) {
    rest = (rest << 2u) | (digits >> 30u);
    digits <<= 2u;
    let trial = (found << 2u) | 1u;
    let fits = rest >= trial;
    rest -= select(0u, trial, fits);
    found = (found << 1u) | select(0u, 1u, fits);
  }
  return rounded(0u, p.e >> 1u, (found << 6u) | select(0u, 1u, rest != 0u));
}`;
