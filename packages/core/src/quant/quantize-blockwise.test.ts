import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError } from "../error.ts";
import { dequantizeBlockwise } from "./dequantize-blockwise.ts";
import { doubleQuantize, undoDoubleQuantize } from "./double-quantize.ts";
import { e3m0 } from "./e3m0.ts";
import type { QFormat } from "./format.ts";
import { fp4 } from "./fp4.ts";
import { int4 } from "./int4.ts";
import { namedFormat } from "./named-format.ts";
import { nf4 } from "./nf4.ts";
import { quantizeBlockwise } from "./quantize-blockwise.ts";

/** The input of the goldens: an integer hash of the position, on [−1, 1). */
function hashInput(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    let u = Math.imul(i, 2654435761) >>> 0;
    u ^= u >>> 15;
    u = Math.imul(u, 2246822519) >>> 0;
    u ^= u >>> 13;
    return (u >>> 8) / 2 ** 23 - 1;
  });
}

/** Numbers from N(0, 1) by Box and Muller, from a fixed generator. */
function normalNumbers(n: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

const sha256 = (bytes: Uint8Array | Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest("hex");

const bytesOf = (values: number[], format: QFormat): number[] => [...quantizeBlockwise(Float32Array.from(values), format).codes];

const roundTrip = (values: Float32Array, format: QFormat): Float32Array =>
  dequantizeBlockwise(quantizeBlockwise(values, format), format, values.length);

describe("quantizeBlockwise", () => {
  it("puts the first weight of a byte in its high nibble", () => {
    expect(bytesOf([1, -1, 0, 0], nf4())).toEqual([0xf0, 0x77]);
    expect(bytesOf([1, -1], fp4())).toEqual([0x3b]);
  });

  it("pads an odd count with the code of zero", () => {
    expect(bytesOf([1], nf4())).toEqual([0xf7]);
    expect(bytesOf([-1], fp4())).toEqual([0xb0]);
    expect(bytesOf([1], int4())).toEqual([0x70]);
    expect(bytesOf([1], e3m0())).toEqual([0x70]);
  });

  it("quantizes nothing to nothing", () => {
    expect(quantizeBlockwise(new Float32Array(0), nf4())).toEqual({ codes: new Uint8Array(0), absmax: new Float32Array(0) });
    expect(dequantizeBlockwise({ codes: new Uint8Array(0), absmax: new Float32Array(0) }, nf4(), 0)).toEqual(new Float32Array(0));
  });

  // Made with bitsandbytes 0.50 on a CPU: hashes of the packed bytes, the scales and the dequantized f32 numbers of hashInput(n).
  // Made with bitsandbytes 0.50 on a CPU: SHA-256 of the packed bytes, the scales and the dequantized f32 numbers of hashInput(n).
  it.each([
    [
      "nf4",
      32,
      64,
      "8fcbe247951b66165bcdc1d9f01b3d71f35ee1a23aa0f086185999b4dbdb4ac6",
      "5ecf8c66707939cb618ca48bdf878971472d149e2891159e0d4dd7038be3d7f7",
      "f977cee7ea2f48d52b9911a63f1013bb90638a0e9680627f74d18e77432022f7",
    ],
    [
      "fp4",
      32,
      64,
      "c0236cc642c6948ccfef5ab4f1681a691be0d5ed965de99e5f220c448325e8e3",
      "5ecf8c66707939cb618ca48bdf878971472d149e2891159e0d4dd7038be3d7f7",
      "83f8dd6c71c95062aca57e96c2838db730a34fcb39e45fa4c869bd562530152d",
    ],
    [
      "nf4",
      64,
      65,
      "371a33ccf3339dbff9180dcb15f5876c505dc97d3bd1a91bb681b5843faf76e1",
      "764ec0c355d93de0383c952ecd78e574f7d933557869624f38fe755500be1f6c",
      "69d106f2a19affc25a704d6c07c0939ca4ffd0997cee840dc6faef7774e95b52",
    ],
    [
      "fp4",
      64,
      65,
      "fdd3d30c1ad233c36f8f43099caa65396cf212847f07f1e0dde11622beaeb5c8",
      "764ec0c355d93de0383c952ecd78e574f7d933557869624f38fe755500be1f6c",
      "cd74edd2badd1e8bf25da39b67a9d33392b8f01fe5353e27999caa7edd8135da",
    ],
    [
      "nf4",
      64,
      2560,
      "d8c400893970303d2ada5e16ecb63cfb2ca9c33f0cd9069b6dbcc3d3bebfeee5",
      "ef7f297a0f6d31741830ddaac21f2ad0a65c62e289b21e0638e4525104b957aa",
      "aa30faa95b557911f286acdd3f6e3d1d5216ac34653841d73557a7658c341af8",
    ],
    [
      "nf4",
      4096,
      2560,
      "88e078c49b7c65c86769e2824a100dc53cba12a5df0d6907bfe641e29f50d778",
      "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c",
      "b047de5bb4dde8a626d056dca666d51ac2559f60a83cee8d2f56bfbc4a9a3781",
    ],
    [
      "fp4",
      64,
      2560,
      "e6eb234a79842fba9cd75b771cb95176364bcbe1cdce69aeaa50602bb19c4a16",
      "ef7f297a0f6d31741830ddaac21f2ad0a65c62e289b21e0638e4525104b957aa",
      "f0a33b61175e8d8b14b9cdafef20c044aebb73ed08de0f13591d3e2868574d7c",
    ],
    [
      "fp4",
      4096,
      2560,
      "ea48a46f8debf02682655e9a8f30b1c6e7a339c8f8f8da97f1c56dad7840c6bf",
      "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c",
      "78c81bbe2dc025f38f9ab961f2f0a6c933c093536f22e49f25c4ac593577d942",
    ],
  ])("gives bitsandbytes' bytes, scales and numbers: %s, blocks of %i, %i weights", (name, blockSize, n, codes, absmax, values) => {
    const format = namedFormat(name, { blockSize });
    const blocks = quantizeBlockwise(hashInput(n), format);
    expect(sha256(blocks.codes)).toBe(codes);
    expect(sha256(blocks.absmax)).toBe(absmax);
    expect(sha256(dequantizeBlockwise(blocks, format, n))).toBe(values);
  });

  it("starts with bitsandbytes' first bytes", () => {
    expect([...quantizeBlockwise(hashInput(64), nf4({ blockSize: 32 })).codes.subarray(0, 16)]).toEqual([
      4, 224, 30, 4, 233, 32, 15, 62, 239, 46, 226, 122, 25, 254, 252, 202,
    ]);
  });

  it("multiplies a full block by the reciprocal and divides a short one", () => {
    // 0.8417867 · fround(1/7) lies above the threshold between codes 8 and 9, 0.8417867 / 7 on it.
    const pair = [7, 0.8417867422103882];
    expect(bytesOf([...pair, ...Array<number>(30).fill(0)], nf4({ blockSize: 32 }))[0]).toBe(0xf9);
    expect(bytesOf(pair, nf4({ blockSize: 32 }))[0]).toBe(0xf8);
  });
});

describe("special numbers", () => {
  const INF = Number.POSITIVE_INFINITY;
  const TINY = 9.999999350456404e-39;
  const full = (head: number[], rest: number): number[] => [...head, ...Array<number>(32 - head.length).fill(rest)];

  // What bitsandbytes 0.50's backends/default/ops.py gives for the same numbers, NF4 then FP4: the first bytes, and the scale.
  it.each<[string, number[], string, string, number]>([
    ["a full block of zeros", full([], 0), "77777777", "00000000", 0],
    ["a short block of zeros", [0, 0, 0, 0, 0], "777777", "000000", TINY],
    ["NaN in a full block", full([NaN, 1, -1], 0.5), "ffffffff", "33333333", NaN],
    ["NaN in a short block", [0.5, NaN, -1], "fff7", "3330", NaN],
    ["∞ in a full block", full([INF, 1, -1, 0], 0.5), "f7777777", "30000000", INF],
    ["−∞ in a full block", full([-INF, 1], 0), "f7777777", "30000000", INF],
    ["∞ in a short block", [INF, 1, -2], "f777", "3000", INF],
    ["−0", [-0, 1, -1, -0], "7f07", "03b0", 1],
    ["numbers below 1e-38 in a full block", full([1e-39, -1e-39], 0), "86777777", "6e000000", 1.0000002153053333e-39],
    ["numbers below 1e-38 in a short block", [1e-39, -1e-39], "86", "6e", TINY],
    ["numbers near the largest", full([3e38, -3e38, 1e38], 0), "f0b77777", "3b400000", 3.0000000054977558e38],
  ])("%s", (_, values, nf4Bytes, fp4Bytes, absmax) => {
    for (const [format, bytes] of [
      [nf4({ blockSize: 32 }), nf4Bytes],
      [fp4({ blockSize: 32 }), fp4Bytes],
    ] as const) {
      const blocks = quantizeBlockwise(Float32Array.from(values), format);
      expect(Buffer.from(blocks.codes.subarray(0, 4)).toString("hex")).toBe(bytes);
      expect([...blocks.absmax]).toEqual([absmax]);
    }
  });

  it("dequantize as the scale says: zeros to 0, a NaN block to NaN, ∞ to ∞ beside NaN", () => {
    const format = nf4({ blockSize: 32 });
    expect(roundTrip(new Float32Array(32), format)).toEqual(new Float32Array(32));
    expect([...roundTrip(Float32Array.of(0.5, NaN, -1), format)]).toEqual([NaN, NaN, NaN]);
    expect([...roundTrip(Float32Array.of(INF, 1, -2), format)]).toEqual([INF, NaN, NaN]);
  });
});

describe("dequantizeBlockwise", () => {
  it("refuses codes or scales of another size", () => {
    const blocks = quantizeBlockwise(hashInput(64), nf4({ blockSize: 32 }));
    expect(() => dequantizeBlockwise(blocks, nf4({ blockSize: 32 }), 66)).toThrow(ShapeError);
    expect(() => dequantizeBlockwise(blocks, nf4({ blockSize: 64 }), 64)).toThrow(ShapeError);
  });
});

describe("laws of quantization", () => {
  /** Numbers far from where f32 ends: there the product of code and scale is no longer exact to a part in 10⁷. */
  const value = fc.oneof(
    fc.float({ min: -1, max: 1, noNaN: true }),
    fc
      .tuple(fc.float({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -28, max: 28 }), fc.constantFrom(1, -1))
      .map(([m, e, s]) => Math.fround(s * m * 10 ** e)),
  );
  const values = fc
    .array(
      value.filter((x) => x === 0 || Math.abs(x) > 1e-30),
      { maxLength: 140 },
    )
    .map((list) => Float32Array.from(list));
  const format = fc
    .tuple(fc.constantFrom("nf4", "fp4", "int4", "e3m0"), fc.constantFrom(32, 64))
    .map(([name, blockSize]) => namedFormat(name, { blockSize }));

  it("quantizing what was dequantized changes nothing", () => {
    fc.assert(
      fc.property(values, format, (x, f) => {
        const once = quantizeBlockwise(x, f);
        const numbers = dequantizeBlockwise(once, f, x.length);
        const twice = quantizeBlockwise(numbers, f);
        expect(twice.absmax).toEqual(once.absmax);
        expect(dequantizeBlockwise(twice, f, x.length)).toEqual(numbers);
        if (f.name !== "fp4") expect(twice.codes).toEqual(once.codes); // FP4 has two codes for 0
      }),
    );
  });

  it("every number gets the nearest of the sixteen, within half the step between two", () => {
    fc.assert(
      fc.property(values, format, (x, f) => {
        const blocks = quantizeBlockwise(x, f);
        const numbers = dequantizeBlockwise(blocks, f, x.length);
        for (const [i, given] of x.entries()) {
          const scale = blocks.absmax[Math.floor(i / f.blockSize)]!;
          const nearest = Math.min(...f.codeBook.map((code) => Math.abs(given - code * scale)));
          expect(Math.abs(given - numbers[i]!)).toBeLessThanOrEqual(nearest + 3e-7 * scale);
        }
      }),
    );
  });
});

describe("error on normal numbers", () => {
  // Mean absolute and relative error with their standard deviations, as bitsandbytes' own tests hold them (tests/test_functional.py, 1024 × 1024, N(0, 1)).
  const TABLE: Record<string, [blockSize: number, abs: number, absSd: number, rel: number, relSd: number][]> = {
    nf4: [
      [32, 0.067746, 0.000069, 0.189726, 0.000304],
      [64, 0.072798, 0.000074, 0.203339, 0.00034],
      [128, 0.076831, 0.000091, 0.215237, 0.000391],
      [256, 0.080337, 0.000102, 0.226105, 0.000398],
      [512, 0.083547, 0.000143, 0.236079, 0.000544],
      [1024, 0.08661, 0.000187, 0.24537, 0.0006],
      [2048, 0.089592, 0.000251, 0.254163, 0.000747],
      [4096, 0.092547, 0.00036, 0.262473, 0.000999],
    ],
    fp4: [
      [32, 0.088925, 0.000091, 0.242443, 0.00033],
      [64, 0.096543, 0.000111, 0.260125, 0.000379],
      [128, 0.102969, 0.000134, 0.275817, 0.000433],
      [256, 0.108684, 0.000182, 0.289831, 0.000497],
      [512, 0.114115, 0.000234, 0.302881, 0.000583],
      [1024, 0.119333, 0.00032, 0.315, 0.000757],
      [2048, 0.124556, 0.000455, 0.326607, 0.000955],
      [4096, 0.129536, 0.000612, 0.337169, 0.001239],
    ],
  };
  const n = 1024 * 1024;
  const normal = normalNumbers(n);

  function errors(numbers: Float32Array): { abs: number; rel: number } {
    let abs = 0;
    let rel = 0;
    for (let i = 0; i < n; i++) {
      const error = Math.abs(normal[i]! - numbers[i]!);
      abs += error;
      rel += error / (Math.abs(normal[i]!) + 1e-8);
    }
    return { abs: abs / n, rel: rel / n };
  }

  for (const [name, rows] of Object.entries(TABLE)) {
    it.each(rows)(`of ${name} in blocks of %i is bitsandbytes', within 7 standard deviations`, (blockSize, abs, absSd, rel, relSd) => {
      const found = errors(roundTrip(normal, namedFormat(name, { blockSize })));
      expect(Math.abs(found.abs - abs)).toBeLessThan(7 * absSd);
      expect(Math.abs(found.rel - rel)).toBeLessThan(7 * relSd);
    });
  }

  it.each([32, 64, 128])("of NF4 in blocks of %i stays below bitsandbytes' bounds with quantized scales", (blockSize) => {
    const format = nf4({ blockSize });
    const blocks = undoDoubleQuantize(doubleQuantize(quantizeBlockwise(normal, format)));
    const { abs, rel } = errors(dequantizeBlockwise(blocks, format, n));
    expect(abs).toBeLessThan(0.11);
    expect(rel).toBeLessThan(0.28);
  });

  it("of the ablation's formats is larger than NF4's, as the paper finds", () => {
    const of = (name: string): number => errors(roundTrip(normal, namedFormat(name))).abs;
    const nf4Error = of("nf4");
    for (const name of ["fp4", "int4", "e3m0"]) expect(of(name)).toBeGreaterThan(nf4Error);
  });
});
