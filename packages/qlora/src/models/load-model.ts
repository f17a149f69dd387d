// A model from the files of its folder: part by part, quantized as they arrive, so that the whole model never exists in f32 and no file in memory.
import {
  addScalar,
  type Backend,
  cast,
  DTypeError,
  empty,
  type FrozenPager,
  fromBytes,
  type QFormat,
  type QTensor,
  quantize,
  scope,
  type Tensor,
  transpose,
} from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { LinearModule, ModelPart } from "../config/model-part.ts";
import { modelParts } from "../config/model-parts.ts";
import { checkModelTensors, renamedTensors } from "../config/model-tensors.ts";
import { UsageError } from "../error.ts";
import { formatName, sameFormat } from "../formats/bitsandbytes/format-name.ts";
import type { PackedWeight } from "../formats/bitsandbytes/packed-weight.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import { quoted } from "../formats/quoted.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { coreDType } from "../formats/safetensors-dtype.ts";
import { DenseLinear } from "../nn/dense-linear.ts";
import type { Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { QuantizedLinear } from "../nn/quantized-linear.ts";
import { buildModel } from "./build-model.ts";
import type { LanguageModel } from "./language-model.ts";
import { storedWeights, type WeightDType, weightForms } from "./weight-form.ts";

/** How weights are held, and where. */
export interface LoadOptions {
  /**
   * How linear weights are stored; null keeps the numbers of the file. The head and the embeddings always keep them. Weights that are 4-bit in the file are
   * used as they are, byte for byte: their format, or null.
   */
  readonly format: QFormat | null;
  /** Holds the quantized weights, a page a layer; they stay on the device where left out. */
  readonly pager?: FrozenPager;
  /** What is stored in the place of a linear layer's weight, f32 [out, in]; undefined for one that stays as it is (`WeightStart`). */
  readonly prepare?: (module: LinearModule, weight: Tensor) => Promise<Tensor> | undefined;
  /** Called after each tensor with the bytes of files read so far and in all. */
  readonly onProgress?: (readBytes: number, totalBytes: number) => void;
}

/** Bytes read at a time into tensors that are stored as they come. What is computed as it is read is not read in pieces. */
const CHUNK_BYTES = 4 << 20;

/**
 * Reads a model onto a backend.
 * @throws FormatError if the files do not hold the model that its config describes, OutOfMemoryError
 * @throws UsageError if its weights are 4-bit in another format than the one asked for
 */
export async function loadModel(backend: Backend, config: ModelConfig, files: ModelFiles, options: LoadOptions): Promise<LanguageModel> {
  checkModelTensors(config, files);
  const tensors = renamedTensors(config, files.tensors);
  checkFormat(files, options.format);
  const loader = new Loader(backend, tensors, options);
  const parts = new Map<string, LinearSlot | Tensor>();
  try {
    for (const part of modelParts(config)) parts.set(part.name, await loader.load(part));
    return buildModel(backend, config, parts);
  } catch (error) {
    loader.dispose();
    throw error;
  }
}

/** Weights that are 4-bit in the files are used as they are: another format would quantize them a second time. */
function checkFormat({ folder, tensors }: ModelFiles, format: QFormat | null): void {
  if (!format) return;
  const other = [...tensors].find(([, { packed }]) => packed && !sameFormat(packed.format, format));
  if (!other) return;
  const [name, { packed }] = other;
  const what = `holds ${quoted(name)} in 4 bits, as ${formatName(packed!.format)}, and ${formatName(format)} is asked for. Take the file's, or give the 16-bit model.`;
  throw new UsageError(folder, what, { tensor: name, format: formatName(format), stored: formatName(packed!.format) });
}

const alreadyPacked = (name: string): UsageError =>
  new UsageError(
    "model",
    `has ${quoted(name)} in 4 bits, and its adapter begins with a part of the 16-bit weights. Give the 16-bit model.`,
    { name },
  );

class Loader {
  readonly formOf: ReturnType<typeof weightForms>;
  readonly pager: LoadOptions["pager"];
  readonly prepare: LoadOptions["prepare"];
  readonly onProgress: LoadOptions["onProgress"];
  readonly #made: { dispose(): void }[] = [];
  readonly #totalBytes: number;
  /** What is read passes through this one array where it fits: freed ones would stay with the process for long, some 20 MB of them. */
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #readBytes = 0;

  constructor(
    readonly backend: Backend,
    readonly tensors: ModelFiles["tensors"],
    { format, pager, prepare, onProgress }: LoadOptions,
  ) {
    this.formOf = weightForms(storedWeights(tensors), format, "f32");
    this.pager = pager;
    this.prepare = prepare;
    this.onProgress = onProgress;
    this.#totalBytes = [...tensors.values()].reduce((n, t) => n + t.byteLength, 0);
  }

  async load(part: ModelPart): Promise<LinearSlot | Tensor> {
    if (part.kind === "linear") return new LinearSlot(part.name, await this.#linear(part));
    return part.kind === "small" ? this.#asF32(part.name, part.plusOne) : this.#asStored(part.name);
  }

  /** The tensor with the numbers of the file, copied a piece at a time. */
  async #asStored(name: string): Promise<Tensor> {
    const { stored, dtype } = this.#find(name);
    const made = empty(this.backend, stored.shape, dtype);
    this.#made.push(made);
    for (let offset = 0; offset < stored.byteLength; offset += CHUNK_BYTES) {
      const bytes = await stored.read(offset, Math.min(CHUNK_BYTES, stored.byteLength - offset), this.#chunk);
      this.backend.write(made.storage.buffer, bytes, offset);
    }
    this.#progress(stored);
    return made;
  }

  async #asF32(name: string, plusOne = false): Promise<Tensor> {
    const bytes = await this.#bytes(name);
    return this.#keep(() => (plusOne ? addScalar(cast(bytes(), "f32"), 1) : cast(bytes(), "f32")));
  }

  async #linear(module: LinearModule): Promise<Linear> {
    const { name, bias, layer, transposed } = module;
    const offset = bias ? await this.#asF32(`${name}.bias`) : null;
    const { stored, dtype } = this.#find(`${name}.weight`);
    const form = this.formOf(module);
    if (stored.packed && this.prepare) throw alreadyPacked(name);
    if (stored.packed) return this.#quantized(await this.#packed(stored, stored.packed), offset, layer);
    const asItIs = form.kind === "dense" && form.dtype === dtype && !transposed && !this.prepare;
    if (asItIs) return new DenseLinear(await this.#asStored(`${name}.weight`), offset);
    const bytes = await this.#bytes(`${name}.weight`);
    const matrix = (): Tensor => (transposed ? transpose(cast(bytes(), "f32")) : cast(bytes(), "f32"));
    if (!this.prepare) return this.#store(module, matrix, offset);
    const wide = scope(this.backend, matrix);
    try {
      const changed = await (this.prepare(module, wide) ?? wide.retain());
      try {
        return await this.#store(module, () => changed.retain(), offset);
      } finally {
        changed.dispose();
      }
    } finally {
      wide.dispose();
    }
  }

  /** @param matrix the weight as f32 [out, in] */
  async #store(module: LinearModule, matrix: () => Tensor, offset: Tensor | null): Promise<Linear> {
    const form = this.formOf(module);
    if (form.kind === "dense")
      return new DenseLinear(
        this.#keep(() => cast(matrix(), form.dtype)),
        offset,
      );
    return this.#quantized(
      this.#keep(() => quantize(matrix(), form.format)),
      offset,
      module.layer,
    );
  }

  async #packed(stored: StoredTensor, packed: PackedWeight): Promise<QTensor> {
    const { loadPacked } = await import("../formats/bitsandbytes/load-packed.ts");
    const weight = await loadPacked(this.backend, packed);
    this.#made.push(weight);
    this.#progress(stored);
    return weight;
  }

  async #quantized(weight: QTensor, offset: Tensor | null, layer: number): Promise<Linear> {
    if (!this.pager) return new QuantizedLinear(weight, offset);
    const paged = await this.pager.adopt(weight, layer);
    this.#made.push(paged);
    return new QuantizedLinear(paged, offset);
  }

  dispose(): void {
    for (const made of this.#made) made.dispose();
  }

  #keep<T extends { dispose(): void }>(make: () => T): T {
    const made = scope(this.backend, make);
    this.#made.push(made);
    return made;
  }

  /** Its bytes as a tensor; to be taken before anything else is read. */
  async #bytes(name: string): Promise<() => Tensor> {
    const { stored, dtype } = this.#find(name);
    const bytes = await stored.read(0, stored.byteLength, stored.byteLength <= CHUNK_BYTES ? this.#chunk : undefined);
    this.#progress(stored);
    return () => fromBytes(this.backend, bytes, stored.shape, dtype);
  }

  #find(name: string): { readonly stored: StoredTensor; readonly dtype: WeightDType } {
    const stored = this.tensors.get(name)!; // checkModelTensors saw that it is there
    const dtype = coreDType(stored.dtype);
    if (dtype !== "f32" && dtype !== "bf16" && dtype !== "f16")
      throw new DTypeError("loadModel", dtype ? [dtype] : [], `"${name}" is ${stored.dtype}, not a float.`);
    return { stored, dtype };
  }

  #progress({ byteLength }: StoredTensor): void {
    this.#readBytes += byteLength;
    this.onProgress?.(this.#readBytes, this.#totalBytes);
  }
}
