// From floats to 4 bits and back, on the device. The arithmetic, bit for bit, is quant/'s; these are its kernels' names.
import { DTypeError } from "../error.ts";
import { apply, applyAll, defineOp } from "../op.ts";
import { QTensor } from "../qtensor.ts";
import type { QFormat } from "../quant/format.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** The 4-bit format of what is read or written. */
export interface FormatAttrs {
  readonly format: QFormat;
}
const blocksOf = (n: number, blockSize: number): number => Math.ceil(n / blockSize);

/** x f32 (any shape, flattened) → codes u8 [⌈n/2⌉], absmax f32 [⌈n/blockSize⌉]. */
export const quantizeOp = defineOp({
  name: "quantize",
  infer: ([x]: readonly [Tensor], { format }: FormatAttrs) => {
    if (x.dtype !== "f32") throw new DTypeError("quantize", [x.dtype], `quantizes f32, not ${x.dtype}. Cast it with cast(x, "f32").`);
    const n = sizeOf(x.shape);
    return [
      { shape: [Math.ceil(n / 2)], dtype: "u8" },
      { shape: [blocksOf(n, format.blockSize)], dtype: "f32" },
    ] as const;
  },
});

/** absmax f32 [b] → codes u8 [b], absmax of those f32 [⌈b/256⌉], offset f32 []. */
export const doubleQuantizeOp = defineOp({
  name: "doubleQuantize",
  infer: ([absmax]: readonly [Tensor], _: FormatAttrs) => {
    const [blocks] = absmax.shape as [number];
    return [
      { shape: [blocks], dtype: "u8" },
      { shape: [blocksOf(blocks, 256)], dtype: "f32" },
      { shape: [], dtype: "f32" },
    ] as const;
  },
});

/** codes and scales → f32 of the weight's shape. */
export const dequantizeOp = defineOp({
  name: "dequantize",
  infer: ([w]: readonly [QTensor], _: FormatAttrs) => ({ shape: w.shape, dtype: "f32" }),
  vjp: () => [null],
});

/** ids i32 [...] and a quantized table [rows, width] → f32 [..., width]. */
export const qembeddingOp = defineOp({
  name: "qembedding",
  infer: ([ids, w]: readonly [Tensor, QTensor], _: FormatAttrs) => {
    if (ids.dtype !== "i32") throw new DTypeError("qembedding", [ids.dtype], `ids are i32, not ${ids.dtype}.`);
    return { shape: [...ids.shape, w.shape[1]!] as Shape, dtype: "f32" };
  },
  vjp: () => [null, null],
});

/** x in 4 bits: blocks of format.blockSize over the flattened values (QLoRA §3; bitsandbytes functional.py quantize_4bit). @throws DTypeError */
export function quantize(x: Tensor, format: QFormat): QTensor {
  const [codes, absmax] = applyAll(quantizeOp, [x], { format }) as [Tensor, Tensor];
  if (!format.doubleQuant) return new QTensor(format, x.shape, codes, { kind: "plain", absmax });
  const [absmaxCodes, absmax2, offset] = applyAll(doubleQuantizeOp, [absmax], { format }) as [Tensor, Tensor, Tensor];
  absmax.dispose();
  return new QTensor(format, x.shape, codes, { kind: "double", codes: absmaxCodes, absmax: absmax2, offset });
}

/** The values that codes and scales stand for, f32. */
export const dequantize = (w: QTensor): Tensor => apply(dequantizeOp, [w], { format: w.format });

/** Rows of a quantized table [rows, width] by i32 ids [...], as f32 [..., width]. Ids must be in range (the caller checks, on the host). */
export const qembedding = (ids: Tensor, w: QTensor): Tensor => apply(qembeddingOp, [ids, w], { format: w.format });
