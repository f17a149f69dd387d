// A model's folder quantized to another folder, which transformers + bitsandbytes load, and this package. Node only.
import type { Backend, QFormat } from "@qlora-js/core";
import type { ModelConfig } from "../../config/model-config.ts";
import { modelTensors } from "../../config/model-tensors.ts";
import { UsageError } from "../../error.ts";
import { writeModelFolder } from "../../merge/model-folder.ts";
import type { Folder } from "../folder.ts";
import type { ModelFiles } from "../model-files.ts";
import { withKey } from "./config-text.ts";
import { quantizationJson } from "./quantization-config.ts";
import { quantizedFiles } from "./quantized-files.ts";

/** What is written where, and in which format. */
export interface QuantizedFolderOptions {
  /** Computes the codes. */
  readonly backend: Backend;
  /** NF4 or FP4. */
  readonly format: QFormat;
  /** Of tensors in one file; transformers' own limit, 50 GB, if left out. */
  readonly maxShardBytes?: number;
  /** How much is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

const MAX_SHARD_BYTES = 50_000_000_000;

/** What bitsandbytes is told to compute in: the type of the weights. */
const COMPUTE_TYPES: Readonly<Record<string, string>> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

/**
 * Writes the folder: 4-bit linear weights; embeddings, head, norms and biases as they are; config.json with its `quantization_config`; and the files of the
 * tokenizer. At no time more than one weight is in memory.
 * @returns names of its files
 * @throws UsageError if the model is quantized already in another format, or has a weight that is not a number
 * @throws FormatError if the files do not hold the model that its config describes
 * @throws StorageError if it cannot be written; what stood there before is then as it was
 */
export async function writeQuantizedFolder(
  path: string,
  source: Folder,
  config: ModelConfig,
  files: ModelFiles,
  { backend, format, maxShardBytes = MAX_SHARD_BYTES, onProgress }: QuantizedFolderOptions,
): Promise<string[]> {
  if (format.name !== "nf4" && format.name !== "fp4")
    throw new UsageError(source.name, `cannot be written as ${format.name}: bitsandbytes has NF4 and FP4.`, { format: format.name });
  const quantized = await quantizedFiles(config, files, { backend, format, onProgress: (done, of) => onProgress?.(done / of / 2) });
  const total = [...quantized.tensors.values()].reduce((n, { byteLength }) => n + byteLength, 0);
  const dtype = [...files.tensors.values()].find(({ shape }) => shape.length === 2)?.dtype;
  const json = quantizationJson({ format: format.name, doubleQuant: format.doubleQuant }, COMPUTE_TYPES[dtype ?? ""] ?? "float32");
  return writeModelFolder(path, source, quantized, {
    maxShardBytes,
    config: (text) => withKey(text, "quantization_config", json),
    parameters: modelTensors(config).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
    onProgress: (done) => onProgress?.(0.5 + done / total / 2),
  });
}
