// A model's files as the 4-bit checkpoint that transformers + bitsandbytes would save of it, made as it is read: each linear weight becomes its codes, scales,
// code books and state; what is not quantized stays as it is. A writer of folders writes it; the model is never in memory whole.
//
// Offsets of double quantization are torch's to the last bit (torch-mean.ts); everything else has one right value.
import type { Backend, QFormat } from "@qlora-js/core";
import type { ModelConfig } from "../../config/model-config.ts";
import { linearModules } from "../../config/model-parts.ts";
import { checkModelTensors, modelName, modelTensors } from "../../config/model-tensors.ts";
import { UsageError } from "../../error.ts";
import type { ModelFiles } from "../model-files.ts";
import { quoted } from "../quoted.ts";
import type { StoredTensor } from "../safetensors.ts";
import { formatName, sameFormat } from "./format-name.ts";
import { packedParts } from "./packed-parts.ts";
import { WeightQuantizer } from "./weight-quantizer.ts";

/** What computes, and the format that is written. */
export interface QuantizeOptions {
  /** Computes the codes. */
  readonly backend: Backend;
  /** NF4 or FP4. */
  readonly format: QFormat;
  /** Called with the bytes of the model looked at so far and in all, before anything is written. */
  readonly onProgress?: (bytes: number, totalBytes: number) => void;
}

/**
 * The tensors of the checkpoint, under the names of the files, in the order in which transformers fills shards. Each weight is quantized once for this, and
 * once more when it is read.
 * @throws FormatError if the files do not hold the model that its config describes
 * Weights that are 4-bit already stay as they are.
 * @throws UsageError if they are so in another format, or a weight is not a number
 */
export async function quantizedFiles(config: ModelConfig, files: ModelFiles, options: QuantizeOptions): Promise<ModelFiles> {
  const { backend, format, onProgress } = options;
  checkModelTensors(config, files);
  const known = new Set(modelTensors(config).map(({ name }) => name));
  const modules = new Map(linearModules(config).map((module) => [`${module.name}.weight`, module]));
  const quantizer = new WeightQuantizer(backend, format);
  const total = [...files.tensors.values()].reduce((n, { byteLength }) => n + byteLength, 0);
  const tensors: [string, StoredTensor][] = [];
  let done = 0;
  for (const [name, stored] of files.tensors) {
    const own = modelName(config, name);
    if (own === null) throw notOfText(files.folder, name);
    const module = modules.get(own);
    if (stored.packed) checkSame(files.folder, name, stored.packed.format, format);
    const packed = stored.packed ?? (module && !module.keep ? await quantizer.packed(module, stored) : undefined);
    if (packed) for (const [ending, part] of packedParts(packed)) tensors.push([name + ending, part]);
    else if (known.has(own)) tensors.push([name, stored]); // not copies of a tied head, nor tables that are computed
    done += stored.byteLength;
    onProgress?.(done, total);
  }
  return { ...files, tensors: new Map(tensors.sort(([a], [b]) => compareNaturally(a, b))) };
}

const notOfText = (folder: string, name: string): UsageError =>
  new UsageError(folder, `holds ${quoted(name)}, which is of no text model. Only models of text alone are written.`, { tensor: name });

function checkSame(folder: string, name: string, stored: QFormat, format: QFormat): void {
  if (sameFormat(stored, format)) return;
  const what = `holds ${quoted(name)} as ${formatName(stored)} already, and ${formatName(format)} is asked for. Give the 16-bit model.`;
  throw new UsageError(folder, what, { tensor: name });
}

/** By parts between dots, numbers by their value and before words: transformers' dot_natural_key. */
function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = comparePart(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function comparePart(a: string, b: string): number {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return Number(a) - Number(b);
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
