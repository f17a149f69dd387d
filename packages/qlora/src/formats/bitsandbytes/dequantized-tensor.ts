// A packed weight as the tensor that it stands for: reading it dequantizes, to the bits that bitsandbytes gives (code · absmax in f32, rounded to the state's
// type). For merging, for conversion, for what is kept dense. Who multiplies with 4-bit weights takes `packed` instead, whose products are of unrounded f32.
import { numberToBf16, numberToF16, undoDoubleQuantize } from "@qlora-js/core";
import type { StoredTensor } from "../safetensors.ts";
import { type PackedScales, readPackedScales } from "./packed-scales.ts";
import type { PackedWeight } from "./packed-weight.ts";

const FILE_TYPES = { f32: "F32", bf16: "BF16", f16: "F16" } as const;

/** The weight [out, in] in the type of its state. */
export function dequantizedTensor(packed: PackedWeight): StoredTensor {
  const { shape, dtype, codes } = packed;
  const width = dtype === "f32" ? 4 : 2;
  const byteLength = shape[0] * shape[1] * width;
  return {
    file: codes.file,
    dtype: FILE_TYPES[dtype],
    shape,
    byteLength,
    packed,
    async read(offset = 0, length = byteLength - offset) {
      const [from, to] = [Math.floor(offset / width), Math.ceil((offset + length) / width)];
      const start = from - (from % 2); // two numbers a byte
      const bytes = await codes.read(start / 2, Math.ceil((to - start) / 2));
      const values = unpack(packed, plainScales(await readPackedScales(packed)), bytes, start, to);
      return values.slice(offset - start * width, offset - start * width + length);
    },
  };
}

const plainScales = (scales: PackedScales): Float32Array =>
  scales.kind === "plain"
    ? scales.absmax
    : undoDoubleQuantize({ codes: new Uint8Array(), absmaxCodes: scales.codes, absmax2: scales.absmax, offset: scales.offset }).absmax;

/** Numbers `from` … `to` of the weight, `from` even, their codes starting at byte 0. A block has sixteen different ones: each is rounded once. */
function unpack(
  { format, dtype }: PackedWeight,
  scales: Float32Array,
  codes: Uint8Array,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const values = dtype === "f32" ? new Float32Array(to - from) : new Uint16Array(to - from);
  const narrow = { f32: (x: number) => x, bf16: numberToBf16, f16: numberToF16 }[dtype];
  const { codeBook, blockSize } = format;
  const levels = new Array<number>(codeBook.length);
  for (let i = from; i < to; ) {
    const block = Math.floor(i / blockSize);
    for (const [code, value] of codeBook.entries()) levels[code] = narrow(Math.fround(value * scales[block]!));
    for (const end = Math.min(to, (block + 1) * blockSize); i < end; i++) {
      const byte = codes[(i - from) >> 1]!;
      values[i - from] = levels[i % 2 === 0 ? byte >> 4 : byte & 15]!;
    }
  }
  return new Uint8Array(values.buffer);
}
