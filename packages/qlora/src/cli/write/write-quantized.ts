// A model written in 4 bits, with progress.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backend, QFormat } from "@qlora-js/core";
import { writeQuantizedFolder } from "../../formats/bitsandbytes/quantized-folder.ts";
import type { ModelFiles } from "../../formats/model-files.ts";
import { CountedWork } from "../counted-work.ts";
import type { ModelFolder } from "../open-model.ts";
import type { Output } from "../output.ts";
import type { Written } from "./write-model.ts";

export interface QuantizedOptions {
  readonly backend: Backend;
  readonly format: QFormat;
  readonly maxShardBytes: number;
  readonly output: Output;
}

/** @throws UsageError, FormatError, StorageError as `writeQuantizedFolder` */
export async function writeQuantized(
  to: string,
  { folder, config }: ModelFolder,
  model: ModelFiles,
  { output, ...options }: QuantizedOptions,
): Promise<Written> {
  try {
    const total = [...model.tensors.values()].reduce((n, { byteLength }) => n + byteLength, 0);
    const work = new CountedWork(output, "writing");
    const onProgress = (share: number): void => work.show(Math.round(share * total), total);
    const files = await writeQuantizedFolder(to, folder, config, model, { ...options, onProgress });
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(to, file))).size));
    return { path: to, bytes: sizes.reduce((a, b) => a + b, 0), files, warnings: [] };
  } finally {
    output.clearStatus();
  }
}
