// Functions of f32 over their whole range against float64, in units in the last place. A GPU may flush what is subnormal.
import { cos, div, erf, exp, log, sigmoid, sin, sqrt, type Tensor, tanh, tensor } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { openSoftwareGpu } from "./software-gpu.fixture.ts";

const { backend, absent } = await openSoftwareGpu();

const SMALLEST_NORMAL = 2 ** -126;
/** The distance of neighbouring f32 at a number. */
const unit = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), SMALLEST_NORMAL))) - 23);

const COUNT = 40_000;
/** Numbers of every size between two, of the sign of the first. */
const spread = (low: number, high: number): number[] =>
  Array.from({ length: COUNT }, (_, i) => Math.fround(low * (high / low) ** (i / (COUNT - 1))));
const between = (low: number, high: number): number[] =>
  Array.from({ length: COUNT }, (_, i) => Math.fround(low + ((high - low) * i) / COUNT));
const both = (xs: readonly number[]): number[] => [...xs, ...xs.map((x) => -x)];

/** The largest distance of what the GPU gives from f, in units in the last place. */
async function distance(run: (...x: Tensor[]) => Tensor, f: (...x: number[]) => number, ...inputs: number[][]): Promise<number> {
  const tensors = inputs.map((x) => tensor(backend, x, [x.length]));
  const y = run(...tensors);
  const got = await y.read();
  for (const t of [...tensors, y]) t.dispose();
  let largest = 0;
  inputs[0]!.forEach((_, i) => {
    const want = f(...inputs.map((x) => x[i]!));
    const flushed = got[i] === 0 && Math.abs(want) < SMALLEST_NORMAL;
    if (got[i] !== want && !flushed) largest = Math.max(largest, Math.abs(got[i]! - want) / unit(want));
  });
  return largest;
}

/** 1 − 2/√π·∫ is not exact enough; the series ∑ (−1)ⁿ x^(2n+1) / (n!·(2n+1)) is, where |x| ≤ 3. */
function erfBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigma = (x: number): number => 1 / (1 + Math.exp(-x));

describe.skipIf(absent)(`math on webgpu${absent}`, () => {
  afterAll(() => backend.dispose());

  test.each([
    ["exp", 1.1, exp, Math.exp, between(-87.3, 88.7)],
    ["exp of what is subnormal", 1.1, exp, Math.exp, between(-103, -87.3)],
    ["log", 1, log, Math.log, spread(1e-44, 3.4e38)],
    ["log around 1", 1, log, Math.log, between(0.5, 2)],
    ["sin", 3, sin, Math.sin, both(spread(1e-30, 100))],
    ["cos", 3, cos, Math.cos, spread(1e-30, 100)],
    ["sin of large numbers", 3, sin, Math.sin, both(spread(100, 3e38))],
    ["cos of large numbers", 3, cos, Math.cos, spread(100, 3e38)],
    ["tanh", 2, tanh, Math.tanh, both(spread(1e-30, 50))],
    ["sigmoid", 3, sigmoid, sigma, both(spread(1e-10, 87))],
    ["erf", 3, erf, erfBySeries, both(spread(1e-10, 3))],
  ])("%s is within %d units in the last place", async (_, units, run, f, xs) => {
    expect(await distance(run, f, xs)).toBeLessThan(units);
  });

  test("quotients and roots are correctly rounded", async () => {
    const a = both(spread(1e-38, 3e38));
    const b = Array.from(a, (_, i) => Math.fround(2 ** (((i * 7919) % 2003) / 16 - 62) * (i % 3 ? 1 : -1)));
    const quotient = (x: number, y: number): number => Math.fround(x / y);
    expect(await distance(div, quotient, a, b)).toBe(0);
    expect(await distance(sqrt, (x) => Math.fround(Math.sqrt(x)), spread(1e-44, 3.4e38))).toBe(0);
  });
});
