// The tensors of an adapter's file, checked against its settings. Writes nothing.
import { ArgumentError, type Shape, show } from "@qlora-js/core";
import { loraTargets } from "./lora-targets.ts";
import { ADAPTER_CONFIG, type LoraSettings } from "./peft-config.ts";
import { loraKey, wholeKey } from "./peft-keys.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import type { TensorToStore } from "./safetensors-layout.ts";

/** A matrix to store: row-major, little-endian. */
export interface MatrixToStore {
  readonly shape: Shape;
  readonly dtype: SafetensorsDType;
  readonly data: TensorToStore["data"];
}

/** What is trained for one module: a [rank, in], b [out, rank], and DoRA's magnitude [out]. */
export interface LoraToStore {
  readonly module: string;
  readonly a: MatrixToStore;
  readonly b: MatrixToStore;
  readonly magnitude?: MatrixToStore;
}

/** A tensor of the model that is stored whole, by PEFT's name of its module. */
export interface WholeToStore {
  readonly module: string;
  readonly ending: "weight" | "bias";
  readonly tensor: MatrixToStore;
}

/**
 * The tensors of `adapter_model.safetensors`.
 * @throws ArgumentError where a matrix is not of the rank that the settings give its module, or the settings do not name it
 */
export function adapterTensors(settings: LoraSettings, loras: Iterable<LoraToStore>, whole: readonly WholeToStore[] = []): TensorToStore[] {
  const given = [...loras];
  const names = given.map((l) => l.module);
  const targets = new Map(loraTargets(settings, names, ADAPTER_CONFIG).map((t) => [t.module, t]));
  const adapted = new Set(names);
  return [
    ...given.flatMap((lora) => ofModule(settings, lora, targets.get(lora.module)?.rank)),
    ...whole.map(({ module, ending, tensor }) => ({ name: wholeKey(module, ending, adapted.has(module)), ...tensor })),
  ];
}

function ofModule(settings: LoraSettings, { module, a, b, magnitude }: LoraToStore, rank: number | undefined): TensorToStore[] {
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
  if ((magnitude !== undefined) !== settings.useDora)
    throw new ArgumentError("adapterTensors", "loras", module, `"${module}" must have a magnitude if, and only if, settings use DoRA.`);
  return [
    { name: loraKey(module, "a"), ...a },
    { name: loraKey(module, "b"), ...b },
    ...(magnitude ? [{ name: loraKey(module, "magnitude"), ...magnitude }] : []),
  ];
}
