// A model written in 4 bits, with progress.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backend, QFormat } from "@qlora-js/core";
import { writeQuantizedFolder } from "../../formats/bitsandbytes/quantized-folder.ts";
import type { ModelFiles } from "../../formats/model-files.ts";
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
    const onProgress = (share: number): void => output.status(`  writing   ${Math.floor(100 * share)} %`);
    const files = await writeQuantizedFolder(to, folder, config, model, { ...options, onProgress });
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(to, file))).size));
    return { path: to, bytes: sizes.reduce((a, b) => a + b, 0), files, warnings: [] };
  } finally {
    output.clearStatus();
  }
}
