// One weight as bitsandbytes packs it. What the file's header has to know (the state, with the offset of double quantization in its text)
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
import { computedTensor } from "./computed-tensor.ts";
import type { PackedWeight } from "./packed-weight.ts";
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
   * The weight in 4 bits, for packed-parts.ts to lay out.
   * @throws UsageError if a number in it is none
   */
  async packed(module: LinearModule, stored: StoredTensor): Promise<PackedWeight> {
    const { format } = this;
    const { file } = stored;
    const { outFeatures, inFeatures } = module;
    const blocks = Math.ceil((outFeatures * inFeatures) / format.blockSize);
    const again = () => this.#quantized(module, stored);
    const { double } = await again();
    const floats = (values: Float32Array): StoredTensor => computedTensor(file, "F32", [values.length], async () => bytesOf(values));
    const common = {
      format,
      shape: [outFeatures, inFeatures] as const,
      dtype: coreDType(stored.dtype) as PackedWeight["dtype"],
      codes: computedTensor(file, "U8", [Math.ceil((outFeatures * inFeatures) / 2), 1], async () => (await again()).codes),
    };
    if (!double)
      return { ...common, absmax: computedTensor(file, "F32", [blocks], async () => bytesOf((await again()).absmax)), nested: null };
    return {
      ...common,
      absmax: computedTensor(file, "U8", [blocks], async () => (await again()).double!.absmaxCodes),
      nested: { absmax: floats(double.absmax2), levels: floats(dynamicMap("signed")), offset: double.offset },
    };
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
