import { expect, test } from "vitest";
import { torchMean } from "./torch-mean.ts";

/** Of the numbers below, by torch 2.13.0 on one thread of an x86 processor with AVX2. */
const MEANS: readonly [count: number, mean: number][] = [
  [1, 0.0],
  [2, 0.30901697278022766],
  [4, 0.42705094814300537],
  [5, 0.43606796860694885],
  [7, 0.42553049325942993],
  [8, 0.4131189286708832],
  [9, 0.47213587164878845],
  [15, 0.4595712125301361],
  [31, 0.49631619453430176],
  [32, 0.48577678203582764],
  [33, 0.4946044087409973],
  [63, 0.4923868775367737],
  [100, 0.4926823377609253],
  [127, 0.49519628286361694],
  [511, 0.49886229634284973],
  [512, 0.4994804859161377],
  [513, 0.4993516802787781],
  [1000, 0.49997633695602417],
  [2047, 0.49986764788627625],
  [5184, 0.4998529255390167],
  [13824, 0.4999435544013977],
  [32767, 0.4999889135360718],
  [40000, 0.4999934136867523],
  [262144, 0.5000001788139343],
];

/** The upper 24 bits of i · 2654435761 mod 2^32, as numbers below 1. */
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (Math.imul(i, 2654435761) >>> 8) / 2 ** 24);

test.each(MEANS)("the mean of %i numbers is torch's to the last bit", (count, mean) => expect(torchMean(numbers(count))).toBe(mean));

test("the mean of none is 0", () => expect(torchMean(new Float32Array())).toBe(0));
