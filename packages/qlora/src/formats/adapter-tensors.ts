// The tensors of an adapter's file, checked against its settings. Writes nothing.
import { ArgumentError, type Shape, show } from "@qlora-js/core";
import { loraTargets } from "./lora-targets.ts";
import { ADAPTER_CONFIG, type LoraSettings } from "./peft-config.ts";
import { loraKey } from "./peft-keys.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import type { TensorToStore } from "./safetensors-layout.ts";

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
      throw new ArgumentError("adapterTensors", "settings", settings.targetModules, `targetModules do not name "${module}".`);
    if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[0] !== rank || b.shape[1] !== rank) {
      throw new ArgumentError(
        "adapterTensors",
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
