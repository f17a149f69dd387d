// Writing a PEFT LoRA folder that `PeftModel.from_pretrained` loads. Node only for the folder; the two files' contents can be had anywhere.
import { join } from "node:path";
import { ArgumentError, type Shape, show } from "@qlora-js/core";
import { writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { loraTargets } from "./lora-targets.ts";
import { ADAPTER_CONFIG, formatPeftConfig, type LoraSettings } from "./peft-config.ts";
import { ADAPTER_WEIGHTS, loraKey } from "./peft-keys.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import { safetensorsChunks, type TensorToStore } from "./safetensors-layout.ts";

/** A matrix to store: row-major, little-endian. */
export interface MatrixToStore {
  readonly shape: Shape;
  readonly dtype: SafetensorsDType;
  readonly data: TensorToStore["data"];
}

/** LoRA's two matrices for one module: a [rank, in], b [out, rank]. */
export interface LoraToStore {
  readonly module: string;
  readonly a: MatrixToStore;
  readonly b: MatrixToStore;
}

/**
 * The tensors of `adapter_model.safetensors`.
 * @throws ArgumentError where a matrix is not of the rank that the settings give its module, or the settings do not name it
 */
export function adapterTensors(settings: LoraSettings, loras: Iterable<LoraToStore>): TensorToStore[] {
  const given = [...loras];
  const targets = new Map(
    loraTargets(
      settings,
      given.map((l) => l.module),
      ADAPTER_CONFIG,
    ).map((t) => [t.module, t]),
  );
  return given.flatMap(({ module, a, b }) => {
    const rank = targets.get(module)?.rank;
    if (rank === undefined)
      throw new ArgumentError("writePeftAdapter", "settings", settings.targetModules, `targetModules do not name "${module}".`);
    if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== rank || b.shape[1] !== rank) {
      throw new ArgumentError(
        "writePeftAdapter",
        "loras",
        [a.shape, b.shape],
        `"${module}" has rank ${rank}, but its matrices are ${show(a.shape)} and ${show(b.shape)}.`,
      );
    }
    return [
      { name: loraKey(module, "a"), ...a },
      { name: loraKey(module, "b"), ...b },
    ];
  });
}

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
