// A model with an adapter merged into it, as if it were stored: the same tensors under the same names, those that the adapter changes computed when they
// are read. Whoever reads a model's files can read these; the model is never in memory whole. W + s·B·A as PEFT's `merge` computes it, in f32.
import {
  add,
  type Backend,
  cast,
  dequantize,
  div,
  matmul,
  maximum,
  mul,
  type QFormat,
  quantize,
  reshape,
  scale,
  scope,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { LinearModule } from "../config/model-part.ts";
import { linearModules } from "../config/model-parts.ts";
import { asIn16Bit, checkModelTensors, modelName } from "../config/model-tensors.ts";
import { UsageError } from "../error.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import type { PeftAdapter } from "../formats/peft-adapter.ts";
import { quoted } from "../formats/quoted.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { coreDType } from "../formats/safetensors-dtype.ts";
import { storedValues } from "../formats/stored-rows.ts";
import { type Matrices, splitResidual } from "../lora/residual.ts";
import { checkFinite } from "./check-finite.ts";

/** Whose tensors, which adapter, and what computes. */
export interface MergeOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly files: ModelFiles;
  readonly adapter: PeftAdapter;
  /**
   * The weights that the adapter is added to: null for the numbers of the files; or what a 4-bit format makes of them, for all linear layers, as the
   * model was while the adapter was trained. Weights that are 4-bit in the files are what those say either way.
   */
  readonly base: QFormat | null;
  /** What merged weights are rounded to: their type in the files, or f32, for writers that narrow them further. */
  readonly precision: "file" | "f32";
}

/**
 * A model with its adapter merged in, as files: each weight W becomes W + scale·B·A when it is read.
 * @throws FormatError if the files do not hold the model that its config describes
 */
export function mergedFiles(options: MergeOptions): ModelFiles {
  const { config, files, adapter, base } = options;
  checkModelTensors(config, files);
  const merging = new Merging(options);
  const changed = linearModules(config).filter(({ name, keep }) => (base !== null && !keep) || adapter.modules.has(name));
  const tensors = new Map(asIn16Bit(config, files.tensors));
  const names = new Map([...tensors.keys()].map((name) => [modelName(config, name), name]));
  for (const module of changed) {
    const name = names.get(`${module.name}.weight`)!; // checkModelTensors saw that it is there
    tensors.set(name, merging.merged(module, tensors.get(name)!));
  }
  for (const [own, whole] of adapter.whole) {
    const name = names.get(own);
    const stored = name === undefined ? undefined : tensors.get(name);
    if (name === undefined || !stored) {
      const what = `holds ${quoted(own)} of its own, and the model has that tensor tied to another. Untie the model first.`;
      throw new UsageError(adapter.folder, what, { tensor: own });
    }
    tensors.set(name, merging.replaced(name, stored, whole));
  }
  return { ...files, tensors };
}

class Merging {
  /** The tensor that is being read, so that reading it piece by piece computes it once. */
  #last: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;

  constructor(readonly options: MergeOptions) {}

  merged(module: LinearModule, stored: StoredTensor): StoredTensor {
    return this.#computed(module.name, stored, () => this.#compute(module, stored));
  }

  /** A tensor that the adapter holds whole, in the place and the type of the model's own. */
  replaced(name: string, stored: StoredTensor, whole: StoredTensor): StoredTensor {
    return this.#computed(name, stored, async () => {
      const values = await storedValues(name, whole);
      return this.#rounded(name, stored, () => tensor(this.options.backend, values, stored.shape));
    });
  }

  #computed(name: string, stored: StoredTensor, compute: () => Promise<Uint8Array<ArrayBuffer>>): StoredTensor {
    const { dtype, shape } = stored;
    const wide = this.options.precision === "f32";
    const byteLength = wide ? 4 * shape.reduce((n, d) => n * d, 1) : stored.byteLength;
    return {
      file: stored.file,
      dtype: wide ? "F32" : dtype,
      shape,
      byteLength,
      read: async (offset = 0, length = byteLength - offset) => {
        if (this.#last?.name !== name) this.#last = { name, bytes: await compute() };
        return this.#last.bytes.slice(offset, offset + length);
      },
    };
  }

  async #compute(module: LinearModule, stored: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
    const { backend, adapter, base } = this.options;
    const weight = await storedValues(module.name, stored);
    const lora = adapter.modules.get(module.name);
    const matrices = lora && {
      a: await storedValues(module.name, lora.a),
      b: await storedValues(module.name, lora.b),
      magnitude: lora.magnitude && (await storedValues(module.name, lora.magnitude)),
    };
    return this.#rounded(module.name, stored, () => {
      const file = tensor(backend, weight, stored.shape);
      const quantized = base && !module.keep && !stored.packed ? base : null;
      // what was taken off the weight before it was quantized is not quantized with it
      const split = quantized && adapter.residual && lora && matrices ? splitResidual(matrices, lora.rank / 2) : undefined;
      const whole = split && lora ? sub(file, lowRank(backend, split.start, lora.scale, module)) : file;
      const start = quantized ? throughFormat(whole, quantized, module.transposed) : whole;
      if (!lora || !matrices) return start;
      return lengthened(backend, add(start, lowRank(backend, split?.trained ?? matrices, lora.scale, module)), matrices.magnitude, module);
    });
  }

  async #rounded(name: string, stored: StoredTensor, make: () => Tensor): Promise<Uint8Array<ArrayBuffer>> {
    const type = this.options.precision === "f32" ? "f32" : (coreDType(stored.dtype) ?? "f32");
    const made = scope(this.options.backend, () => cast(make(), type));
    try {
      const bytes = (await made.readBytes()).slice();
      checkFinite(name, type, bytes);
      return bytes;
    } finally {
      made.dispose();
    }
  }
}

/** What is left of a weight in 4 bits. Blocks run over [out, in], whichever way the file has it. */
function throughFormat(weight: Tensor, format: QFormat, transposed: boolean): Tensor {
  const back = (w: Tensor): Tensor => dequantize(quantize(w, format));
  return transposed ? transpose(back(transpose(weight))) : back(weight);
}

/** s · B·A, turned as the weight is. */
function lowRank(
  backend: Backend,
  { a, b }: Matrices,
  s: number,
  { transposed, outFeatures, inFeatures }: Pick<LinearModule, "transposed" | "outFeatures" | "inFeatures">,
): Tensor {
  const product = scale(
    matmul(tensor(backend, b, [outFeatures, b.length / outFeatures]), tensor(backend, a, [a.length / inFeatures, inFeatures])),
    s,
  );
  return transposed ? transpose(product) : product;
}

/** With DoRA each row of W + s·B·A, an output's, is brought to its trained length (PEFT's `merge_safe`). */
function lengthened(
  backend: Backend,
  weight: Tensor,
  magnitude: Float32Array | undefined,
  { transposed, outFeatures }: LinearModule,
): Tensor {
  if (!magnitude) return weight;
  const lengths = sqrt(sum(square(weight), { axis: transposed ? 0 : 1 }));
  // a row of zeros stays one
  const factor = div(tensor(backend, magnitude, [outFeatures]), maximum(lengths, tensor(backend, [1e-15], [])));
  return mul(weight, transposed ? factor : reshape(factor, [outFeatures, 1]));
}
