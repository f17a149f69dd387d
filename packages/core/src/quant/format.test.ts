import { describe, expect, it } from "vitest";
import { ArgumentError } from "../error.ts";
import { e3m0 } from "./e3m0.ts";
import { BLOCK_SIZES, makeFormat } from "./format.ts";
import { fp4 } from "./fp4.ts";
import { int4 } from "./int4.ts";
import { namedFormat } from "./named-format.ts";
import { nf4 } from "./nf4.ts";
import { normalMap } from "./normal-map.ts";

/** The bits of f32 numbers, eight hex digits each. */
const hex = (values: Float32Array): string =>
  Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length), (bits) => bits.toString(16).padStart(8, "0")).join(" ");

const thrown = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("a 4-bit format", () => {
  it("takes QLoRA's choices where none are given", () => {
    expect(nf4()).toMatchObject({ name: "nf4", blockSize: 64, doubleQuant: true });
  });

  it("takes every block size of bitsandbytes", () => {
    for (const blockSize of BLOCK_SIZES) expect(fp4({ blockSize, doubleQuant: false })).toMatchObject({ blockSize, doubleQuant: false });
  });

  it.each([0, 16, 48, 8192, 64.5, Number.NaN])("refuses block size %s", (blockSize) => {
    const error = thrown(() => nf4({ blockSize }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ op: "nf4", argument: "blockSize", value: blockSize });
  });

  it("refuses a code book that has not sixteen values", () => {
    expect(thrown(() => makeFormat("nf4", [0, 1]))).toMatchObject({ name: "ArgumentError", argument: "values", value: 2 });
  });

  it("is found by its name", () => {
    expect(namedFormat("fp4", { blockSize: 128 })).toEqual(fp4({ blockSize: 128 }));
    for (const make of [nf4, fp4, int4, e3m0]) expect(namedFormat(make().name)).toEqual(make());
  });

  it.each(["nf5", "toString", ""])("refuses the name %j", (name) => {
    expect(thrown(() => namedFormat(name))).toMatchObject({ name: "ArgumentError", argument: "name", value: name });
  });

  it("never shares its code book with another one", () => {
    expect(nf4().codeBook).not.toBe(nf4().codeBook);
  });
});

describe("code books", () => {
  it("of NF4 are bitsandbytes' bits", () => {
    expect(hex(nf4().codeBook)).toBe(
      "bf800000 bf3239b1 bf066b30 beca32a0 be91a24d be3d353f bdba7871 00000000 3da2faff 3e24cae3 3e7c04dd 3ead033a 3ee1a4b8 3f1007ab 3f3913b3 3f800000",
    );
  });

  it("of NF4 follow from the normal distribution, bit for bit", () => {
    expect(hex(normalMap())).toBe(hex(nf4().codeBook));
  });

  it("of FP4 are bitsandbytes' bits, in its order", () => {
    const positive = "3baaaaab 3f2aaaab 3f800000 3eaaaaab 3f000000 3e2aaaab 3e800000";
    const negative = "bbaaaaab bf2aaaab bf800000 beaaaaab bf000000 be2aaaab be800000";
    expect(hex(fp4().codeBook)).toBe(`00000000 ${positive} 00000000 ${negative}`);
  });

  it("of Int4 are sevenths, by two's complement", () => {
    const sevenths = Array.from(int4().codeBook, (x) => Math.round(x * 7));
    expect(sevenths).toEqual([0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1]);
    expect(int4().codeBook[9]).toBe(-1);
  });

  it("of E3M0 are powers of two with a sign bit", () => {
    const magnitudes = [0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];
    expect([...e3m0().codeBook]).toEqual([...magnitudes, 0, ...magnitudes.slice(1).map((x) => -x)]);
  });
});
