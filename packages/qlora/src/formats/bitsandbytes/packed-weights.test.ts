import { createPlainBackend } from "@qlora-js/backend-cpu";
import {
  dequantize,
  dequantizeBlockwise,
  doubleQuantize,
  dynamicMap,
  FormatError,
  fp4,
  nf4,
  numberToBf16,
  type QFormat,
  quantizeBlockwise,
  undoDoubleQuantize,
} from "@qlora-js/core";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { fuzzCases } from "../../fuzz-cases.fixture.ts";
import { bytesSource } from "../byte-source.ts";
import { openSafetensors, type StoredTensor } from "../safetensors.ts";
import type { SafetensorsDType } from "../safetensors-dtype.ts";
import { encodeSafetensors } from "../safetensors-layout.ts";
import { loadPacked } from "./load-packed.ts";
import { packedParts } from "./packed-parts.ts";
import { withPackedWeights } from "./packed-weights.ts";
import type { QuantState } from "./quant-state.ts";
import { quantStateBytes } from "./quant-state-bytes.ts";

function stored(dtype: SafetensorsDType, shape: readonly number[], data: ArrayBufferView): StoredTensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const read = async (offset = 0, length = bytes.length - offset) => new Uint8Array(bytes.subarray(offset, offset + length));
  return { file: "f", dtype, shape, byteLength: bytes.length, read };
}

const SHAPE = [7, 19] as const;
const COUNT = SHAPE[0] * SHAPE[1];
const VALUES = Float32Array.from({ length: COUNT }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 5)));

/** A 7 × 19 weight as bitsandbytes stores it. */
function fileOf(format: QFormat, dtype: QuantState["dtype"] = "f32"): Map<string, StoredTensor> {
  const blocks = quantizeBlockwise(VALUES, format);
  const double = doubleQuantize(blocks);
  const offset = format.doubleQuant ? double.offset : null;
  const state = { type: format.name as "nf4" | "fp4", blockSize: format.blockSize, dtype, shape: SHAPE, offset };
  const tensors = new Map([
    ["a.weight", stored("U8", [blocks.codes.length, 1], blocks.codes)],
    ["a.weight.quant_map", stored("F32", [16], format.codeBook)],
    [`a.weight.quant_state.bitsandbytes__${format.name}`, stored("U8", [quantStateBytes(state).length], quantStateBytes(state))],
    ["a.bias", stored("F32", [7], new Float32Array(7))],
  ]);
  if (!format.doubleQuant) return tensors.set("a.weight.absmax", stored("F32", [blocks.absmax.length], blocks.absmax));
  return tensors
    .set("a.weight.absmax", stored("U8", [blocks.absmax.length], double.absmaxCodes))
    .set("a.weight.nested_absmax", stored("F32", [double.absmax2.length], double.absmax2))
    .set("a.weight.nested_quant_map", stored("F32", [256], dynamicMap("signed")));
}

/** What the file stands for, in f32. */
function meaning(format: QFormat): Float32Array {
  const blocks = quantizeBlockwise(VALUES, format);
  return dequantizeBlockwise(format.doubleQuant ? undoDoubleQuantize(doubleQuantize(blocks)) : blocks, format, COUNT);
}

const FORMATS = [nf4(), nf4({ doubleQuant: false }), fp4({ blockSize: 32 }), fp4({ doubleQuant: false, blockSize: 128 })].map(
  (format) => [`${format.name}, blocks of ${format.blockSize}${format.doubleQuant ? ", double quantization" : ""}`, format] as const,
);

const backend = createPlainBackend();
afterAll(() => backend.dispose());

describe.each(FORMATS)("a weight in %s", (_, format) => {
  test("becomes one tensor under its name, which reads as what it stands for", async () => {
    const tensors = await withPackedWeights(fileOf(format));
    expect([...tensors.keys()].sort()).toEqual(["a.bias", "a.weight"]);
    const weight = tensors.get("a.weight")!;
    expect(weight).toMatchObject({ dtype: "F32", shape: SHAPE, byteLength: 4 * COUNT });
    expect(new Float32Array((await weight.read()).buffer)).toEqual(meaning(format));
  });

  test("is loaded with its own bytes, and dequantized to the same numbers", async () => {
    const { packed } = (await withPackedWeights(fileOf(format))).get("a.weight")!;
    const weight = await loadPacked(backend, packed!);
    expect(weight.format).toMatchObject({ name: format.name, blockSize: format.blockSize, doubleQuant: format.doubleQuant });
    expect(await weight.codes.readBytes()).toEqual(await fileOf(format).get("a.weight")!.read());
    const numbers = dequantize(weight);
    expect(await numbers.read()).toEqual(meaning(format));
    numbers.dispose();
    weight.dispose();
    expect(backend.memory().liveBuffers).toBe(0);
  });

  test("is laid out again to the byte", async () => {
    const file = fileOf(format, "bf16");
    const { packed } = (await withPackedWeights(file)).get("a.weight")!;
    const parts = packedParts(packed!);
    expect(parts.length).toBe(file.size - 1);
    for (const [ending, part] of parts) {
      const { dtype, shape, read } = file.get(`a.weight${ending}`)!;
      expect(part).toMatchObject({ dtype, shape });
      expect(await part.read()).toEqual(await read());
    }
  });
});

test("a part of a weight reads as that part of the whole, rounded to the state's type", async () => {
  const weight = (await withPackedWeights(fileOf(nf4(), "bf16"))).get("a.weight")!;
  const whole = await weight.read();
  expect(new Uint16Array(whole.buffer)).toEqual(Uint16Array.from(meaning(nf4()), numberToBf16));
  for (const [offset, length] of [
    [0, 2],
    [2, 4],
    [6, 130],
    [127, 3],
    [264, 2],
    [266, 0],
  ] as const)
    expect(await weight.read(offset, length)).toEqual(whole.slice(offset, offset + length));
});

test("bytes that the file calls bf16 are codes all the same", async () => {
  const file = fileOf(nf4());
  const codes = await file.get("a.weight")!.read();
  const even = new Uint8Array(codes.length + (codes.length % 2));
  even.set(codes);
  const state = quantStateBytes({ type: "nf4", blockSize: 64, dtype: "f32", shape: [2, even.length], offset: null });
  const tensors = new Map([
    ["a.weight", stored("BF16", [even.length / 2, 1], even)],
    ["a.weight.quant_map", stored("F32", [16], nf4().codeBook)],
    ["a.weight.absmax", stored("F32", [Math.ceil((2 * even.length) / 64)], new Float32Array(Math.ceil((2 * even.length) / 64)).fill(1))],
    ["a.weight.quant_state.bitsandbytes__nf4", stored("U8", [state.length], state)],
  ]);
  const weight = (await withPackedWeights(tensors)).get("a.weight")!;
  expect(new Float32Array((await weight.read()).buffer)[0]).toBe(nf4().codeBook[codes[0]! >> 4]);
});

test("scales of scales may differ in their last bits, as torch's do between processors", async () => {
  const levels = dynamicMap("signed").map((x) => x * (1 + 2 ** -23));
  const file = fileOf(nf4()).set("a.weight.nested_quant_map", stored("F32", [256], levels));
  expect((await withPackedWeights(file)).get("a.weight")!.packed).toBeDefined();
});

test("files without 4-bit weights are what they were", async () => {
  const tensors = new Map([["a.weight", stored("F32", [1], new Float32Array(1))]]);
  expect(await withPackedWeights(tensors)).toBe(tensors);
});

describe("refuses", () => {
  const STATE = "a.weight.quant_state.bitsandbytes__nf4";
  const floats = (values: Float32Array): StoredTensor => stored("F32", [values.length], values);
  const state = (change: Partial<QuantState>): StoredTensor => {
    const bytes = quantStateBytes({ type: "nf4", blockSize: 64, dtype: "f32", shape: SHAPE, offset: 0.5, ...change });
    return stored("U8", [bytes.length], bytes);
  };
  const book = nf4().codeBook.map((x, i) => (i === 3 ? -0.5 : x));
  test.each([
    ["a weight without its codes", "a.weight", undefined, /lacks the tensor "a\.weight", which belongs to/],
    ["one without its code book", "a.weight.quant_map", undefined, /lacks the tensor "a\.weight\.quant_map"/],
    ["one without its scales", "a.weight.absmax", undefined, /lacks the tensor "a\.weight\.absmax"/],
    ["one without the scales of its scales", "a.weight.nested_absmax", undefined, /nested_absmax"/],
    ["one without its state", STATE, undefined, /but no "a\.weight\.quant_state\.bitsandbytes__nf4"/],
    ["two states of one weight", "a.weight.quant_state.bitsandbytes__fp4", state({ type: "fp4" }), /second state/],
    ["a state of another kind", "a.weight.quant_state.hqq__4", state({}), /quant_state\.hqq__4" is not of a type/],
    ["a state that its name belies", STATE, state({ type: "fp4" }), /"quant_type" is "fp4"/],
    ["codes of another shape", STATE, state({ shape: [7, 21] }), /has 67 bytes, but its quant_state says \[7, 21\], which takes 74/],
    ["a code book that is not ours", "a.weight.quant_map", floats(book), /not the code book of NF4: value 3 is -0\.5/],
    ["a code book of NaN", "a.weight.quant_map", floats(book.map(() => Number.NaN)), /value 0 is NaN/],
    ["a short code book", "a.weight.quant_map", floats(book.slice(1)), /\[15\] of F32, not 16 of F32/],
    ["other levels for scales", "a.weight.nested_quant_map", floats(dynamicMap("unsigned")), /not bitsandbytes' signed 8-bit map/],
    ["scales of another type", "a.weight.absmax", floats(new Float32Array(3)), /\[3\] of F32, not 3 of U8/],
    ["too few scales", "a.weight.absmax", stored("U8", [2], new Uint8Array(2)), /\[2\] of U8, not 3 of U8/],
    ["too many scales of scales", "a.weight.nested_absmax", floats(new Float32Array(2)), /\[2\] of F32, not 1/],
    ["scales of scales that the state knows nothing of", STATE, state({ offset: null }), /\[3\] of U8, not 3 of F32/],
    ["a state as large as a model", STATE, { ...state({}), byteLength: 1e12 }, /1000000000000 bytes/],
  ])("%s", async (_, name, tensor, message) => {
    const file = fileOf(nf4());
    if (tensor) file.set(name, tensor);
    else file.delete(name);
    const attempt = withPackedWeights(file);
    await expect(attempt).rejects.toThrow(FormatError);
    await expect(attempt).rejects.toThrow(message);
  });

  test("scales that are not numbers, when they are read", async () => {
    const file = fileOf(nf4()).set("a.weight.nested_absmax", floats(Float32Array.of(Number.POSITIVE_INFINITY)));
    const { packed } = (await withPackedWeights(file)).get("a.weight")!;
    await expect(loadPacked(backend, packed!)).rejects.toThrow(FormatError);
    expect(backend.memory().liveBuffers).toBe(0);
  });

  test("or reads, whatever is done to the file", async () => {
    const sound = await Promise.all([...fileOf(nf4())].map(async ([name, { dtype, read }]) => ({ name, dtype, data: await read() })));
    const change = fc.record({
      tensor: fc.nat(sound.length - 1),
      kind: fc.constantFrom("byte", "drop", "dtype", "cut", "rename", "file"),
      at: fc.nat(5000),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const tensors = sound.map((tensor) => ({ ...tensor }));
        for (const { tensor: i, kind, at, value } of changes) {
          const tensor = tensors[i]!;
          if (kind === "byte" && tensor.data.length > 0) tensor.data = tensor.data.with(at % tensor.data.length, value);
          if (kind === "cut") tensor.data = tensor.data.slice(0, at % (tensor.data.length + 1));
          if (kind === "dtype") tensor.dtype = value % 2 ? "F32" : "U8";
          if (kind === "rename") tensor.name = `${tensor.name.slice(0, at % tensor.name.length)}.absmax`;
          if (kind === "drop") tensor.name = "other";
        }
        const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
        const file = await encodeSafetensors(
          [...named.values()].map(({ name, dtype, data }) => {
            const count = dtype === "F32" ? Math.floor(data.length / 4) : data.length;
            return { name, dtype, shape: [count], data: data.subarray(0, dtype === "F32" ? 4 * count : count) };
          }),
        );
        for (const { kind, at, value } of changes) if (kind === "file") file[at % file.length] = value;
        try {
          const { tensors } = await openSafetensors(bytesSource(file));
          for (const { packed, read } of (await withPackedWeights(tensors)).values()) if (packed) await read();
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }),
      { numRuns: fuzzCases(1000) },
    );
  });
});
