// The 4-bit format that a model's files are in. Of the files only headers, states and code books are read.
import { namedFormat, type QFormat } from "@qlora-js/core";
import type { ModelConfig } from "../../config/model-config.ts";
import type { Folder } from "../folder.ts";
import { openModelFiles } from "../model-files.ts";

/**
 * The format of its first 4-bit weight; undefined where weights are not in 4 bits. Where there is a config alone, its word is taken, and bitsandbytes' usual block
 * size.
 * @throws FormatError as `openModelFiles`
 */
export async function storedFormat(folder: Folder, { quantization }: ModelConfig): Promise<QFormat | undefined> {
  if (!quantization) return undefined;
  if (!folder.files.some((file) => /\.safetensors(\.index\.json)?$/.test(file)))
    return namedFormat(quantization.format, { doubleQuant: quantization.doubleQuant });
  const files = await openModelFiles(folder);
  try {
    return [...files.tensors.values()].find(({ packed }) => packed)?.packed?.format;
  } finally {
    await files.close();
  }
}
