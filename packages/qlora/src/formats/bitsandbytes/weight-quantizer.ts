// One weight as the tensors that bitsandbytes stores of it. What the file's header has to know (the state, with the offset of double quantization in its text)
// is found out first; the codes are computed when they are read, anew, so that no more than one weight is ever in memory.
import {
  type Backend,
  cast,
  type DoubleQuantized,
  doubleQuantize,
  dynamicMap,
  fromBytes,
  type QFormat,
  quantize,
  scope,
  transpose,
} from "@qlora-js/core";
import type { LinearModule } from "../../config/model-part.ts";
import { UsageError } from "../../error.ts";
import type { StoredTensor } from "../safetensors.ts";
import { coreDType } from "../safetensors-dtype.ts";
import type { QuantState } from "./quant-state.ts";
import { quantStateBytes } from "./quant-state-bytes.ts";
import { torchMean } from "./torch-mean.ts";

/** Codes, and scales as the file has them. */
interface Quantized {
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
  readonly double: DoubleQuantized | undefined;
}

export class WeightQuantizer {
  /** The weight that was computed last: its parts are read one after another. */
  #last: { readonly module: LinearModule; readonly quantized: Promise<Quantized> } | undefined;

  constructor(
    /** Computes the codes. */
    readonly backend: Backend,
    /** NF4 or FP4. */
    readonly format: QFormat,
  ) {}

  /**
   * The parts of a weight, by what their names have more than its own.
   * @throws UsageError if a number in it is none
   */
  async parts(module: LinearModule, stored: StoredTensor): Promise<[ending: string, part: StoredTensor][]> {
    const { format } = this;
    const shape = [module.outFeatures, module.inFeatures] as const;
    const count = shape[0] * shape[1];
    const blocks = Math.ceil(count / format.blockSize);
    const { double } = await this.#quantized(module, stored);
    const type = format.name as QuantState["type"];
    const dtype = coreDType(stored.dtype) as QuantState["dtype"];
    const state = quantStateBytes({ type, blockSize: format.blockSize, dtype, shape, offset: double?.offset ?? null });
    const again = () => this.#quantized(module, stored);
    const { file } = stored;
    const floats = (values: Float32Array): StoredTensor => computedTensor(file, "F32", [values.length], async () => bytesOf(values));
    const shared: [string, StoredTensor][] = [
      ["", computedTensor(file, "U8", [Math.ceil(count / 2), 1], async () => (await again()).codes)],
      [".quant_map", floats(format.codeBook)],
      [`.quant_state.bitsandbytes__${type}`, computedTensor(file, "U8", [state.length], async () => state)],
    ];
    if (!double) return [...shared, [".absmax", computedTensor(file, "F32", [blocks], async () => bytesOf((await again()).absmax))]];
    return [
      ...shared,
      [".absmax", computedTensor(file, "U8", [blocks], async () => (await again()).double!.absmaxCodes)],
      [".nested_absmax", floats(double.absmax2)],
      [".nested_quant_map", floats(dynamicMap("signed"))],
    ];
  }

  #quantized(module: LinearModule, stored: StoredTensor): Promise<Quantized> {
    if (this.#last?.module !== module) this.#last = { module, quantized: this.#compute(module, stored) };
    return this.#last.quantized;
  }

  async #compute(module: LinearModule, stored: StoredTensor): Promise<Quantized> {
    const { backend, format } = this;
    const bytes = await stored.read();
    const made = scope(backend, () => {
      const matrix = cast(fromBytes(backend, bytes, stored.shape, coreDType(stored.dtype)!), "f32");
      return quantize(module.transposed ? transpose(matrix) : matrix, { ...format, doubleQuant: false });
    });
    try {
      const [codes, scales] = (await Promise.all(made.tensors().map((t) => t.readBytes()))) as [Uint8Array, Uint8Array];
      const absmax = new Float32Array(scales.slice().buffer);
      checkFinite(module.name, absmax, format.blockSize);
      return { codes, absmax, double: format.doubleQuant ? doubleQuantize({ codes, absmax }, torchMean(absmax)) : undefined };
    } finally {
      made.dispose();
    }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** A block with a NaN or an infinity in it has such a scale. */
function checkFinite(name: string, absmax: Float32Array, blockSize: number): void {
  const block = absmax.findIndex((scale) => !Number.isFinite(scale));
  if (block < 0) return;
  const what = `has a weight that is not a finite number (element ${block * blockSize} or one of the ${blockSize - 1} after it), so it cannot be quantized.`;
  throw new UsageError(name, what, { module: name, block });
}

/** A tensor whose bytes are made when they are read. */
function computedTensor(
  file: string,
  dtype: "F32" | "U8",
  shape: readonly number[],
  bytes: () => Promise<Uint8Array>,
): StoredTensor {
  const byteLength = shape.reduce((n, d) => n * d, dtype === "F32" ? 4 : 1);
  return {
    file,
    dtype,
    shape,
    byteLength,
    read: async (offset = 0, length = byteLength - offset) => new Uint8Array((await bytes()).subarray(offset, offset + length)),
  };
}
