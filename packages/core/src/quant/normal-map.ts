// Where NF4's sixteen numbers come from: equally likely slices of a normal distribution, eight above zero and seven below, and zero itself.
// Nothing at run time needs this (nf4.ts has the numbers); it is here to be read, and its test holds it to the code book bit for bit.
import { linspace } from "./linspace.ts";

/** The outermost probability: halfway between 1 − 1/30 and 1 − 1/32, cut to seven digits as bitsandbytes has it. */
const OUTERMOST = 0.9677083;

/** Standard normal density. */
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Probability below x: ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + …), summed until a term no longer counts; for |x| of a few at most. */
function cumulative(x: number): number {
  let sum = 0;
  for (let term = x, k = 3; Math.abs(term) > 1e-18; k += 2) {
    sum += term;
    term *= (x * x) / k;
  }
  return 0.5 + density(x) * sum;
}

/** The x with that probability below it, ½ ≤ p < 1: Newton's steps from 0 rise towards it, since the density only falls. */
function quantile(p: number): number {
  let x = 0;
  for (let i = 0; i < 50; i++) x += (p - cumulative(x)) / density(x);
  return x;
}

/** `count` quantiles at equally spaced probabilities from the outermost towards ½, which is left out. */
const quantiles = (count: number): number[] => Array.from(linspace(OUTERMOST, 0.5, count).subarray(0, count), quantile);

/** The NF4 code book, f32[16], computed. Source: bitsandbytes functional.py, create_normal_map; QLoRA paper, Equation 4. */
export function normalMap(): Float32Array {
  const values = Float32Array.from([...quantiles(8), 0, ...quantiles(7).map((x) => -x)]).sort();
  const largest = values[15]!;
  return values.map((x) => x / largest);
}
