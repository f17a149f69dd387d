// A PEFT LoRA folder: `adapter_config.json` and `adapter_model.safetensors`. Reading checks the adapter against the modules of the base it is to
// be put on, module by module; writing makes the folder whole or not at all (peft-writer.ts).
import { FormatError, type Shape, sameShape, show } from "@qlora-js/core";
import type { LinearModule } from "../config/model-part.ts";
import { AdapterMismatchError, UsageError } from "../error.ts";
import { type Folder, listing } from "./folder.ts";
import { type LoraTarget, loraTargets } from "./lora-targets.ts";
import { ADAPTER_CONFIG, type LoraSettings, parsePeftConfig } from "./peft-config.ts";
import { ADAPTER_WEIGHTS, loraKey, parseLoraKey } from "./peft-keys.ts";
import { quoted } from "./quoted.ts";
import { readJson } from "./read-json.ts";
import { openSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";

const MAX_CONFIG_BYTES = 4_000_000;

/** LoRA's two matrices for one module: a [rank, in], b [out, rank]. */
export interface StoredLora extends LoraTarget {
  readonly a: StoredTensor;
  readonly b: StoredTensor;
}

export interface PeftAdapter {
  readonly folder: string;
  readonly settings: LoraSettings;
  /** By module name, in the base model's order. */
  readonly modules: ReadonlyMap<string, StoredLora>;
  /** Keys of the config that are not known here and were passed over; worth a warning. */
  readonly unknownKeys: readonly string[];
  close(): Promise<void>;
}

/**
 * Opens an adapter for a base model with these modules.
 * @throws UsageError if the folder holds no adapter, or one that uses what is not done here
 * @throws AdapterMismatchError if it was made for another base; names the first module that does not fit
 * @throws FormatError if a file is damaged, or config and tensors disagree
 */
export async function openPeftAdapter(folder: Folder, modules: readonly LinearModule[]): Promise<PeftAdapter> {
  if (!folder.files.includes(ADAPTER_CONFIG)) {
    throw new UsageError(folder.name, `has no ${ADAPTER_CONFIG}, so it is not an adapter. ${listing(folder)}.`, { files: folder.files });
  }
  const config = parsePeftConfig(`${folder.name}/${ADAPTER_CONFIG}`, await readJson(folder, ADAPTER_CONFIG, MAX_CONFIG_BYTES));
  if (!folder.files.includes(ADAPTER_WEIGHTS)) throw new UsageError(folder.name, withoutWeights(folder), { files: folder.files });
  const weights = await openSafetensors(await folder.open(ADAPTER_WEIGHTS));
  try {
    return {
      folder: folder.name,
      ...config,
      modules: resolve(folder.name, config.settings, weights, modules),
      close: () => weights.close(),
    };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

function withoutWeights(folder: Folder): string {
  const pickled = folder.files.find((name) => /^adapter_model\.(bin|pt)$/.test(name));
  if (!pickled) return `has no ${ADAPTER_WEIGHTS}. ${listing(folder)}.`;
  return `holds its weights as ${pickled}, a pickle, which can run code when it is opened. Load it once with PEFT and save it again with save_pretrained.`;
}

function resolve(folder: string, settings: LoraSettings, weights: Safetensors, modules: readonly LinearModule[]): Map<string, StoredLora> {
  const stored = pairUp(weights);
  const known = new Map(modules.map((m) => [m.name, m]));
  const targets = loraTargets(settings, [...known.keys()], `${folder}/${ADAPTER_CONFIG}`);
  const resolved = new Map<string, StoredLora>();
  for (const target of targets) {
    const lora = stored.get(target.module);
    if (!lora) throw lacking(folder, target, known.get(target.module)!);
    resolved.set(target.module, { ...target, ...checked(folder, target, known.get(target.module)!, lora) });
  }
  for (const [module, lora] of stored) if (!resolved.has(module)) throw unwanted(folder, module, lora, known.get(module));
  if (resolved.size === 0)
    throw new UsageError(
      `${folder}/${ADAPTER_CONFIG}`,
      `target_modules ${quoted(settings.targetModules)} name no module of the base model.`,
    );
  return resolved;
}

interface Pair {
  readonly a: StoredTensor;
  readonly b: StoredTensor;
}

/** Tensors by module; every key must be one of a pair. */
function pairUp(weights: Safetensors): Map<string, Pair> {
  const halves = new Map<string, { a?: StoredTensor; b?: StoredTensor }>();
  for (const [key, tensor] of weights.tensors) {
    const { module, side } = parseLoraKey(weights.file, key);
    halves.set(module, { ...halves.get(module), [side]: tensor });
  }
  return new Map(
    [...halves].map(([module, { a, b }]) => [
      module,
      { a: a ?? absent(weights.file, module, "a"), b: b ?? absent(weights.file, module, "b") },
    ]),
  );
}

function absent(file: string, module: string, side: "a" | "b"): never {
  throw new FormatError(file, `lacks the tensor ${quoted(loraKey(module, side))}, though its other half is there.`);
}

const FLOATS: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);

function checked(folder: string, target: LoraTarget, module: LinearModule, { a, b }: Pair): Pair {
  checkHalf(folder, target, a, "a", [target.rank, module.inFeatures]);
  checkHalf(folder, target, b, "b", [module.outFeatures, target.rank]);
  return { a, b };
}

function checkHalf(folder: string, { module, rank }: LoraTarget, tensor: StoredTensor, side: "a" | "b", expected: Shape): void {
  const { dtype, shape, file } = tensor;
  if (!FLOATS.has(dtype))
    throw new FormatError(
      file,
      `tensor ${quoted(loraKey(module, side))} is of type ${dtype}; adapters are read from ${[...FLOATS].join(", ")}.`,
    );
  if (sameShape(shape, expected)) return;
  const [features, ranks] = side === "a" ? [1, 0] : [0, 1];
  if (shape.length === 2 && shape[features] === expected[features] && shape[ranks] !== rank) {
    throw new FormatError(
      file,
      `tensor ${quoted(loraKey(module, side))} is ${show(shape)}, but ${ADAPTER_CONFIG} gives ${module} rank ${rank}.`,
    );
  }
  const what = `is for another base model. ${module}: lora_${side.toUpperCase()} should be ${show(expected)}, and is ${show(shape)}. Use the base it was trained on.`;
  throw new AdapterMismatchError(folder, module, expected, shape, what);
}

function lacking(folder: string, { module, rank }: LoraTarget, { inFeatures }: LinearModule): AdapterMismatchError {
  const what = `does not fit the base model: its config adapts ${module}, but it holds no tensors for it. Use the base it was trained on.`;
  return new AdapterMismatchError(folder, module, [rank, inFeatures], undefined, what);
}

function unwanted(folder: string, module: string, { a }: Pair, known: LinearModule | undefined): Error {
  if (known)
    return new FormatError(folder, `holds tensors for ${quoted(module)}, which target_modules of ${ADAPTER_CONFIG} does not name.`);
  const what = `adapts ${quoted(module)} (lora_A ${show(a.shape)}), which is not a linear layer of the base model. Use the base it was trained on.`;
  return new AdapterMismatchError(folder, module, undefined, a.shape, what);
}
