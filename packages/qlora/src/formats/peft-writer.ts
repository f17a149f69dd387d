// Writing a PEFT LoRA folder that `PeftModel.from_pretrained` loads. Node only.
import { join } from "node:path";
import { writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { adapterTensors, type LoraToStore } from "./adapter-tensors.ts";
import { ADAPTER_CONFIG, formatPeftConfig, type LoraSettings } from "./peft-config.ts";
import { ADAPTER_WEIGHTS } from "./peft-keys.ts";
import { safetensorsChunks } from "./safetensors-layout.ts";

/**
 * Writes the adapter's two files into a folder that is there already, one after the other.
 * @throws StorageError if they cannot be written
 */
export async function writePeftFiles(folder: string, settings: LoraSettings, loras: Iterable<LoraToStore>): Promise<void> {
  await writeFileSafely(join(folder, ADAPTER_WEIGHTS), safetensorsChunks(adapterTensors(settings, loras)));
  await writeFileSafely(join(folder, ADAPTER_CONFIG), formatPeftConfig(settings));
}

/**
 * Writes an adapter's folder whole or not at all; an older one there is replaced.
 * @throws StorageError if it cannot be written; what stood there before is then as it was
 */
export const writePeftAdapter = (path: string, settings: LoraSettings, loras: Iterable<LoraToStore>): Promise<void> =>
  writeFolderSafely(path, (folder) => writePeftFiles(folder, settings, loras));
