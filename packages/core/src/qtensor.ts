// Quantized weights: a type of its own, so that `add(q, x)` does not compile and a gradient for q cannot be written.
import type { Backend, View } from "./backend.ts";
import type { QFormat } from "./quant/format.ts";
import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** The scales of the blocks: one f32 each, or quantized once more to 8 bits (double quantization, QLoRA §3). */
export type Scales =
  | { readonly kind: "plain" /** f32 [blocks] */; readonly absmax: Tensor }
  | {
      readonly kind: "double";
      /** u8 [blocks] */ readonly codes: Tensor;
      /** f32 [⌈blocks / 256⌉] */ readonly absmax: Tensor;
      /** f32 []: what was subtracted before the second quantization */ readonly offset: Tensor;
    };

/** A quantized weight: packed 4-bit codes and their scales. Only `qmatmul`, `qaddmm`, `qembedding` and `dequantize` take it. */
export class QTensor {
  constructor(
    readonly format: QFormat,
    /** The shape of the weight it stands for, [out, in]. */
    readonly shape: Shape,
    /** u8 [⌈n / 2⌉]: two codes a byte, the first in the high half. */
    readonly codes: Tensor,
    readonly scales: Scales,
  ) {}

  /** Where its bytes are. */
  get backend(): Backend {
    return this.codes.backend;
  }

  /** Device tensors, in the order kernels see them: codes, then absmax — or codes, absmax codes, absmax of those, offset. */
  tensors(): Tensor[] {
    const { scales } = this;
    return scales.kind === "plain" ? [this.codes, scales.absmax] : [this.codes, scales.codes, scales.absmax, scales.offset];
  }

  /** Its parts as a kernel sees them: codes, then scales. */
  views(): View[] {
    return this.tensors().flatMap((t) => t.views());
  }

  /** Bytes on the device, of codes and scales together. */
  get byteLength(): number {
    return this.tensors().reduce((n, t) => n + t.storage.byteLength, 0);
  }

  /** Frees its bytes. */
  dispose(): void {
    for (const t of this.tensors()) t.dispose();
  }

  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
