import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { e3m0 } from "./e3m0.ts";
import { formatLevels } from "./format-levels.ts";
import { FP4_CUDA_THRESHOLDS, fp4 } from "./fp4.ts";
import { int4 } from "./int4.ts";
import { levelOf } from "./levels.ts";
import { nf4 } from "./nf4.ts";

const hex = (values: Float32Array): string[] =>
  Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (bits) => bits.toString(16).padStart(8, "0"));

const codeOf = (format: Parameters<typeof formatLevels>[0], rule: "cpu" | "cuda", x: number): number => {
  const { bounds, codes } = formatLevels(format, rule);
  return codes[levelOf(bounds, x)]!;
};

describe("NF4 levels", () => {
  it("are parted by the thresholds of bitsandbytes' CUDA kernel, bit for bit", () => {
    // csrc/kernels.cu, dQuantizeNF4; all of them are midpoints of neighbouring codes.
    expect(hex(formatLevels(nf4()).bounds).join(" ")).toBe(
      "bf591cd8 bf1c5270 beeb8480 beadea76 be703cec be0d38bc bd3a7871 3d22faff 3df64862 3e5067e0 3e9582d4 3ec753f9 3f006d04 3f248daf 3f5c89da",
    );
  });

  it("give a tie to the lower code", () => {
    const { bounds, codes } = formatLevels(nf4());
    for (const [i, bound] of bounds.entries()) expect(codes[levelOf(bounds, bound)]).toBe(i);
  });
});

describe("FP4 levels", () => {
  const midpoints = [
    0.0026041667442768812, 0.0859375, 0.2083333432674408, 0.2916666865348816, 0.4166666865348816, 0.5833333730697632, 0.8333333730697632,
  ];

  it("are parted by midpoints on the CPU, with the two zeros on either side of 0", () => {
    const { bounds, codes } = formatLevels(fp4());
    expect([...bounds]).toEqual([...midpoints.map((x) => -x).reverse(), 0, ...midpoints]);
    expect([...codes]).toEqual([11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3]);
  });

  it("send a tie to the lower value on the CPU and to the smaller magnitude on CUDA", () => {
    expect([codeOf(fp4(), "cpu", 0.0859375), codeOf(fp4(), "cuda", 0.0859375)]).toEqual([1, 1]);
    expect([codeOf(fp4(), "cpu", -0.0859375), codeOf(fp4(), "cuda", -0.0859375)]).toEqual([14, 9]);
  });

  it("choose the two zeros the other way round on CUDA", () => {
    expect([1e-4, 0, -0, -1e-4].map((x) => codeOf(fp4(), "cpu", x))).toEqual([8, 0, 0, 0]);
    expect([1e-4, 0, -0, -1e-4].map((x) => codeOf(fp4(), "cuda", x))).toEqual([0, 0, 0, 8]);
    expect([-(2 ** -149), 2 ** -149].map((x) => codeOf(fp4(), "cuda", x))).toEqual([8, 0]);
  });

  it("hold the literals of the CUDA kernel", () => {
    const up = hex(Float32Array.from(FP4_CUDA_THRESHOLDS));
    expect(up.join(" ")).toBe("3b2aaab9 3db00000 3e555555 3e955555 3ed55556 3f155550 3f555555");
  });

  it("are the magnitude comparison of the CUDA kernel, for every number", () => {
    const magnitudeCodes = [0, 1, 6, 7, 4, 5, 2, 3];
    const kernel = (x: number): number => {
      const above = FP4_CUDA_THRESHOLDS.filter((t) => Math.abs(x) > Math.fround(t)).length;
      return magnitudeCodes[above]! + (x < 0 ? 8 : 0);
    };
    const nearThreshold = fc
      .tuple(fc.constantFrom(...FP4_CUDA_THRESHOLDS), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1))
      .map(([t, ulps, sign]) => {
        const bits = new Uint32Array(Float32Array.of(t).buffer);
        bits[0]! += ulps;
        return sign * new Float32Array(bits.buffer)[0]!;
      });
    fc.assert(
      fc.property(fc.oneof(fc.float({ min: -1, max: 1, noNaN: true }), nearThreshold), (x) => {
        expect(codeOf(fp4(), "cuda", x)).toBe(kernel(x));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("ablation levels", () => {
  it("never write the second zero of E3M0", () => {
    expect(formatLevels(e3m0()).codes).not.toContain(8);
    expect([1e-4, 0, -1e-4].map((x) => codeOf(e3m0(), "cpu", x))).toEqual([0, 0, 0]);
  });

  it("never reach −8/7 of Int4 from a scaled block", () => {
    expect([-1, 1, -0.5, 0.08].map((x) => codeOf(int4(), "cpu", x))).toEqual([9, 7, 12, 1]);
  });

  it("are the same under either rule's name", () => {
    for (const format of [nf4(), int4(), e3m0()]) expect(formatLevels(format, "cuda")).toEqual(formatLevels(format, "cpu"));
  });
});

describe("levelOf", () => {
  it("counts the thresholds below a number, whatever they are", () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 40 }), finite, (thresholds, x) => {
        const bounds = Float32Array.from(thresholds).sort();
        expect(levelOf(bounds, x)).toBe(bounds.filter((b) => b < x).length);
      }),
    );
  });

  it("puts NaN above all of them", () => {
    expect(levelOf(Float32Array.of(-1, 0, 1), Number.NaN)).toBe(3);
  });
});
