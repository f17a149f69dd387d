// Against data made by bitsandbytes, which lies beside the repository and not in it: all 100 cases, both maps, four layers as saved.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dequantizeBlockwise } from "./dequantize-blockwise.ts";
import { type DoubleQuantized, doubleQuantize, undoDoubleQuantize } from "./double-quantize.ts";
import { dynamicMap } from "./dynamic-map.ts";
import { namedFormat } from "./named-format.ts";
import { type QuantizedBlocks, quantizeBlockwise } from "./quantize-blockwise.ts";

const FOLDER = new URL("../../../../../shared/reference/bitsandbytes/", import.meta.url);
const absent = !existsSync(FOLDER);
const why = absent ? " (skipped: ../shared/reference/bitsandbytes is absent)" : "";

interface Case {
  n: number;
  quant_type: string;
  blocksize: number;
  dq: boolean;
  x_sha256: string;
  packed_sha256: string;
  packed_first16: number[];
  packed_last2: number[];
  absmax_n: number;
  absmax_sha256: string;
  deq_fp32_sha256: string;
  mae: number;
  offset?: number;
  nested_absmax?: number[];
  nested_n?: number;
}

const json = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as T;

const sha256 = (bytes: Uint8Array | Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest("hex");

const inputs = new Map<number, Float32Array>();
/** The input of the goldens: an integer hash of the position, on [−1, 1). */
function hashInput(n: number): Float32Array {
  const known = inputs.get(n);
  if (known) return known;
  const made = Float32Array.from({ length: n }, (_, i) => {
    let u = Math.imul(i, 2654435761) >>> 0;
    u ^= u >>> 15;
    u = Math.imul(u, 2246822519) >>> 0;
    u ^= u >>> 13;
    return (u >>> 8) / 2 ** 23 - 1;
  });
  inputs.set(n, made);
  return made;
}

describe.skipIf(absent)(`quantize-4bit.json of bitsandbytes${why}`, () => {
  const cases = absent ? [] : json<{ cases: Case[] }>("quantize-4bit.json").cases;

  it("holds 100 cases", () => {
    expect(cases).toHaveLength(100);
  });

  for (const c of cases)
    it(`${c.quant_type}, ${c.n} weights in blocks of ${c.blocksize}${c.dq ? ", double-quantized" : ""}`, () => {
      const x = hashInput(c.n);
      expect(sha256(x)).toBe(c.x_sha256);
      const format = namedFormat(c.quant_type, { blockSize: c.blocksize, doubleQuant: c.dq });
      let blocks = quantizeBlockwise(x, format);
      expect([...blocks.codes.subarray(0, 16)]).toEqual(c.packed_first16);
      expect([...blocks.codes.subarray(-2)]).toEqual(c.packed_last2);
      expect(sha256(blocks.codes)).toBe(c.packed_sha256);
      expect(blocks.absmax).toHaveLength(c.absmax_n);
      if (c.dq) blocks = checkDoubleQuantized(c, blocks);
      else expect(sha256(blocks.absmax)).toBe(c.absmax_sha256);
      const numbers = dequantizeBlockwise(blocks, format, c.n);
      expect(sha256(numbers)).toBe(c.deq_fp32_sha256);
      expect(numbers.reduce((sum, w, i) => sum + Math.abs(w - x[i]!), 0) / c.n).toBeCloseTo(c.mae, 7);
    });

  /**
   * Our own offset is the mean to 1e-6 and moves no 8-bit code by more than one, in at most 0.1 % of blocks; with the offset of the file,
   * whose last bit depends on torch's order of summation, all bytes are the same.
   */
  function checkDoubleQuantized(c: Case, blocks: QuantizedBlocks): QuantizedBlocks {
    const own = doubleQuantize(blocks);
    const theirs: DoubleQuantized = doubleQuantize(blocks, c.offset!);
    expect(Math.abs(own.offset / c.offset! - 1)).toBeLessThanOrEqual(1e-6);
    const moved = own.absmaxCodes.map((code, i) => Math.abs(code - theirs.absmaxCodes[i]!));
    expect(Math.max(...moved)).toBeLessThanOrEqual(1);
    expect(moved.filter((by) => by !== 0).length).toBeLessThanOrEqual(Math.ceil(moved.length / 1000));
    expect(sha256(theirs.absmaxCodes)).toBe(c.absmax_sha256);
    expect(theirs.absmax2).toHaveLength(c.nested_n!);
    expect([...theirs.absmax2.subarray(0, c.nested_absmax!.length)]).toEqual(c.nested_absmax);
    return undoDoubleQuantize(theirs);
  }
});

describe.skipIf(absent)(`dynamic-maps-8bit.json of bitsandbytes${why}`, () => {
  it.each(["signed", "unsigned"] as const)("%s map", (kind) => {
    expect([...dynamicMap(kind)]).toEqual(json<Record<string, number[]>>("dynamic-maps-8bit.json")[kind]);
  });
});

/** The tensors of a safetensors file, as bytes. */
function tensorsOf(file: string): Map<string, Uint8Array> {
  const bytes = readFileSync(new URL(file, FOLDER));
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, headerEnd)) as Record<string, { data_offsets: [number, number] }>;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(
        ([
          name,
          {
            data_offsets: [from, to],
          },
        ]) => [name, Uint8Array.from(bytes.subarray(headerEnd + from, headerEnd + to))],
      ),
  );
}

interface SavedLayer {
  codes: Uint8Array;
  absmax: Uint8Array;
  codeBook: Float32Array;
  nestedAbsmax?: Float32Array;
  nestedMap?: Float32Array;
  state: { quant_type: string; blocksize: number; shape: [number, number]; nested_offset?: number; nested_blocksize?: number };
}

function savedLayer(file: string): SavedLayer {
  const tensors = tensorsOf(file);
  const find = (end: string): Uint8Array | undefined => [...tensors].find(([name]) => name === end || name.endsWith(`.${end}`))?.[1];
  const floats = (end: string): Float32Array | undefined => {
    const found = find(end);
    return found && new Float32Array(found.buffer);
  };
  const state = [...tensors].find(([name]) => name.includes("quant_state"))![1];
  return {
    codes: find("weight")!,
    absmax: find("weight.absmax")!,
    codeBook: floats("weight.quant_map")!,
    ...(find("weight.nested_absmax") && { nestedAbsmax: floats("weight.nested_absmax")!, nestedMap: floats("weight.nested_quant_map")! }),
    state: JSON.parse(new TextDecoder().decode(state)),
  };
}

describe.skipIf(absent)(`linear4bit_*.safetensors of bitsandbytes${why}`, () => {
  it.each(["nf4", "fp4"])("%s: the plain layer is its own requantization", (name) => {
    const layer = savedLayer(`linear4bit_${name}_nodq.safetensors`);
    const format = namedFormat(name, { blockSize: layer.state.blocksize, doubleQuant: false });
    expect(format.codeBook).toEqual(layer.codeBook);
    const n = layer.state.shape[0] * layer.state.shape[1];
    const blocks = { codes: layer.codes, absmax: new Float32Array(layer.absmax.buffer) };
    const numbers = dequantizeBlockwise(blocks, format, n);
    const again = quantizeBlockwise(numbers, format);
    expect(again.absmax).toEqual(blocks.absmax);
    expect(dequantizeBlockwise(again, format, n)).toEqual(numbers);
    if (name === "nf4") expect(again.codes).toEqual(layer.codes);
  });

  it.each(["nf4", "fp4"])("%s: quantizing the plain layer's scales gives the double-quantized layer", (name) => {
    const plain = savedLayer(`linear4bit_${name}_nodq.safetensors`);
    const layer = savedLayer(`linear4bit_${name}_dq.safetensors`);
    expect(layer.codes).toEqual(plain.codes);
    expect(layer.nestedMap).toEqual(dynamicMap("signed"));
    const absmax = new Float32Array(plain.absmax.buffer);
    const offset = layer.state.nested_offset!;
    expect(Math.abs(doubleQuantize({ codes: plain.codes, absmax }).offset / offset - 1)).toBeLessThanOrEqual(1e-6);
    const q = doubleQuantize({ codes: plain.codes, absmax }, offset);
    expect(q.absmaxCodes).toEqual(layer.absmax);
    expect(q.absmax2).toEqual(layer.nestedAbsmax);
  });
});
