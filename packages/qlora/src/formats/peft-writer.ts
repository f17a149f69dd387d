// Writing a PEFT LoRA folder that `PeftModel.from_pretrained` loads. Node only.
import { join } from "node:path";
import { writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { adapterTensors, type LoraToStore, type WholeToStore } from "./adapter-tensors.ts";
import { ADAPTER_CONFIG, formatPeftConfig, type LoraSettings } from "./peft-config.ts";
import { ADAPTER_WEIGHTS, RESIDUAL } from "./peft-keys.ts";
import { safetensorsChunks } from "./safetensors-layout.ts";

/** The model card, as PEFT names it. */
const MODEL_CARD = "README.md";

/** What an adapter's folder may hold besides config and low-rank matrices. */
export interface MoreOfAdapter {
  /** Tensors of the model that are stored whole. */
  readonly whole?: readonly WholeToStore[];
  /** The text of its model card. */
  readonly card?: string | undefined;
  /** See `PeftAdapter.residual`. */
  readonly residual?: boolean;
}

/**
 * Writes the adapter's files into a folder that is there already, one after the other.
 * @throws StorageError if they cannot be written
 */
export async function writePeftFiles(
  folder: string,
  settings: LoraSettings,
  loras: Iterable<LoraToStore>,
  { whole, card, residual }: MoreOfAdapter = {},
): Promise<void> {
  const metadata = { format: "pt", ...(residual ? { [RESIDUAL]: "true" } : {}) };
  await writeFileSafely(join(folder, ADAPTER_WEIGHTS), safetensorsChunks(adapterTensors(settings, loras, whole), metadata));
  await writeFileSafely(join(folder, ADAPTER_CONFIG), formatPeftConfig(settings));
  if (card !== undefined) await writeFileSafely(join(folder, MODEL_CARD), card);
}

/**
 * Writes an adapter's folder whole or not at all; an older one there is replaced.
 * @throws StorageError if it cannot be written; what stood there before is then as it was
 */
export const writePeftAdapter = (path: string, settings: LoraSettings, loras: Iterable<LoraToStore>, more?: MoreOfAdapter): Promise<void> =>
  writeFolderSafely(path, (folder) => writePeftFiles(folder, settings, loras, more));
