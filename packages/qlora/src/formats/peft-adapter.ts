// A PEFT LoRA folder: `adapter_config.json` and `adapter_model.safetensors`. Reading checks the adapter against the modules of the base it is to
// be put on, module by module; writing makes the folder whole or not at all (peft-writer.ts).
import { FormatError, type Shape, sameShape, show } from "@qlora-js/core";
import type { LinearModule } from "../config/model-part.ts";
import type { SavableTensor } from "../config/savable-tensors.ts";
import { AdapterMismatchError, UsageError } from "../error.ts";
import { type Folder, listing } from "./folder.ts";
import { type LoraTarget, loraTargets } from "./lora-targets.ts";
import { ADAPTER_CONFIG, type LoraSettings, type ParsePeftOptions, parsePeftConfig } from "./peft-config.ts";
import { ADAPTER_WEIGHTS, type LoraSide, loraKey, parseAdapterKey, RESIDUAL } from "./peft-keys.ts";
import { quoted } from "./quoted.ts";
import { readJson } from "./read-json.ts";
import { openSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";

const MAX_CONFIG_BYTES = 4_000_000;

/** What an adapter holds for one module: a [rank, in], b [out, rank], and for DoRA the lengths of rows [out]. */
export interface StoredLora extends LoraTarget {
  readonly a: StoredTensor;
  readonly b: StoredTensor;
  readonly magnitude?: StoredTensor;
}

/** Which of the model's own tensors settings mean to be held whole, given which modules they adapt: `wholeTensors` of the model. */
export type WholeOf = (settings: LoraSettings, targets: ReadonlySet<string>, where: string) => readonly SavableTensor[];

/** A PEFT adapter that is open: its settings, and its matrices by module. */
export interface PeftAdapter {
  readonly folder: string;
  readonly settings: LoraSettings;
  /** By module name, in the base model's order. */
  readonly modules: ReadonlyMap<string, StoredLora>;
  /** Tensors of the model that the adapter holds whole, by the model's own names. */
  readonly whole: ReadonlyMap<string, StoredTensor>;
  /**
   * The later half of each module's ranks is minus what was taken off the weight before it was quantized (PiSSA): over 16-bit weights it is a plain
   * adapter, and over 4-bit ones it fits what is left of the weight without it.
   */
  readonly residual: boolean;
  /** Keys of the config that are not known here and were passed over; worth a warning. */
  readonly unknownKeys: readonly string[];
  /** Lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens an adapter for a base model with these modules.
 * @param wholeOf what else the model has that may be held whole; nothing if left out
 * @throws UsageError if the folder holds no adapter, or one that uses what is not done here
 * @throws AdapterMismatchError if it was made for another base; names the first module that does not fit
 * @throws FormatError if a file is damaged, or config and tensors disagree
 */
export async function openPeftAdapter(
  folder: Folder,
  modules: readonly LinearModule[],
  wholeOf: WholeOf = nothingWhole,
  options: ParsePeftOptions = {},
): Promise<PeftAdapter> {
  if (!folder.files.includes(ADAPTER_CONFIG)) {
    throw new UsageError(folder.name, `has no ${ADAPTER_CONFIG}, so it is not an adapter. ${listing(folder)}.`, { files: folder.files });
  }
  const config = parsePeftConfig(`${folder.name}/${ADAPTER_CONFIG}`, await readJson(folder, ADAPTER_CONFIG, MAX_CONFIG_BYTES), options);
  if (!folder.files.includes(ADAPTER_WEIGHTS)) throw new UsageError(folder.name, withoutWeights(folder), { files: folder.files });
  const weights = await openSafetensors(await folder.open(ADAPTER_WEIGHTS));
  try {
    return {
      folder: folder.name,
      ...config,
      ...resolve(folder.name, config.settings, weights, modules, wholeOf),
      residual: weights.metadata.get(RESIDUAL) === "true",
      close: () => weights.close(),
    };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** Of a model that lends nothing. @throws UsageError if settings ask for it */
function nothingWhole({ modulesToSave, bias }: LoraSettings, _: ReadonlySet<string>, where: string): readonly SavableTensor[] {
  if (modulesToSave.length === 0 && bias === "none") return [];
  throw new UsageError(where, "trains modules or biases of the model whole, which is not supported for this model.", {
    modulesToSave,
    bias,
  });
}

function withoutWeights(folder: Folder): string {
  const pickled = folder.files.find((name) => /^adapter_model\.(bin|pt)$/.test(name));
  if (!pickled) return `has no ${ADAPTER_WEIGHTS}. ${listing(folder)}.`;
  return `holds its weights as ${pickled}, a pickle, which can run code when it is opened. Load it once with PEFT and save it again with save_pretrained.`;
}

function resolve(
  folder: string,
  settings: LoraSettings,
  weights: Safetensors,
  modules: readonly LinearModule[],
  wholeOf: WholeOf,
): Pick<PeftAdapter, "modules" | "whole"> {
  const stored = sortOut(weights);
  const known = new Map(modules.map((m) => [m.name, m]));
  const where = `${folder}/${ADAPTER_CONFIG}`;
  const targets = loraTargets(settings, [...known.keys()], where);
  const resolved = new Map<string, StoredLora>();
  for (const target of targets) {
    const lora = stored.loras.get(target.module);
    if (!lora) throw lacking(folder, target, known.get(target.module)!);
    const parts = { a: half(weights.file, target.module, "a", lora), b: half(weights.file, target.module, "b", lora) };
    resolved.set(target.module, { ...target, ...checked(folder, settings, target, known.get(target.module)!, { ...lora, ...parts }) });
  }
  for (const [module, lora] of stored.loras) if (!resolved.has(module)) throw unwanted(folder, module, lora, known.get(module));
  if (resolved.size === 0)
    throw new UsageError(where, `target_modules ${quoted(settings.targetModules)} name no module of the base model.`);
  return { modules: resolved, whole: resolveWhole(folder, stored.whole, wholeOf(settings, new Set(resolved.keys()), where)) };
}

function resolveWhole(
  folder: string,
  stored: ReadonlyMap<string, StoredTensor>,
  wanted: readonly SavableTensor[],
): Map<string, StoredTensor> {
  const resolved = new Map<string, StoredTensor>();
  for (const { module, ending, name, shape } of wanted) {
    const tensor = stored.get(`${module}.${ending}`);
    if (!tensor)
      throw new FormatError(folder, `lacks ${quoted(`${module}.${ending}`)}, which modules_to_save or bias of ${ADAPTER_CONFIG} asks for.`);
    if (!FLOATS.has(tensor.dtype))
      throw new FormatError(
        tensor.file,
        `tensor ${quoted(`${module}.${ending}`)} is of type ${tensor.dtype}; adapters are read from floats.`,
      );
    if (!sameShape(tensor.shape, shape)) {
      const what = `is for another base model. ${module}.${ending} should be ${show(shape)}, and is ${show(tensor.shape)}. Use the base it was trained on.`;
      throw new AdapterMismatchError(folder, module, shape, tensor.shape, what);
    }
    resolved.set(name, tensor);
  }
  const names = new Set(wanted.map(({ module, ending }) => `${module}.${ending}`));
  for (const key of stored.keys()) {
    if (names.has(key)) continue;
    throw new UsageError(folder, `holds ${quoted(key)} whole, which neither modules_to_save nor bias of ${ADAPTER_CONFIG} names.`, { key });
  }
  return resolved;
}

type Parts = { readonly [side in LoraSide]?: StoredTensor };

/** Tensors by module; and those that are no part of a low-rank pair, by their names. */
function sortOut(weights: Safetensors): { loras: Map<string, Parts>; whole: Map<string, StoredTensor> } {
  const [loras, whole] = [new Map<string, Parts>(), new Map<string, StoredTensor>()];
  for (const [key, tensor] of weights.tensors) {
    const parsed = parseAdapterKey(weights.file, key);
    if (parsed.kind === "whole") whole.set(`${parsed.module}.${parsed.ending}`, tensor);
    else loras.set(parsed.module, { ...loras.get(parsed.module), [parsed.side]: tensor });
  }
  return { loras, whole };
}

function half(file: string, module: string, side: "a" | "b", parts: Parts): StoredTensor {
  const tensor = parts[side];
  if (tensor) return tensor;
  throw new FormatError(file, `lacks the tensor ${quoted(loraKey(module, side))}, though its other half is there.`);
}

const FLOATS: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);

interface Complete extends Parts {
  readonly a: StoredTensor;
  readonly b: StoredTensor;
}

function checked(folder: string, { useDora }: LoraSettings, target: LoraTarget, module: LinearModule, parts: Complete): Complete {
  const { a, b, magnitude } = parts;
  checkPart(folder, target, a, "a", [target.rank, module.inFeatures]);
  checkPart(folder, target, b, "b", [module.outFeatures, target.rank]);
  if ((magnitude !== undefined) !== useDora) {
    const what = magnitude ? "holds" : "lacks";
    throw new FormatError(a.file, `${what} the tensor ${quoted(loraKey(target.module, "magnitude"))}, and use_dora is ${useDora}.`);
  }
  if (magnitude) checkPart(folder, target, magnitude, "magnitude", [module.outFeatures]);
  return { a, b, ...(magnitude ? { magnitude } : {}) };
}

function checkPart(folder: string, { module, rank }: LoraTarget, tensor: StoredTensor, side: LoraSide, expected: Shape): void {
  const { dtype, shape, file } = tensor;
  if (!FLOATS.has(dtype))
    throw new FormatError(
      file,
      `tensor ${quoted(loraKey(module, side))} is of type ${dtype}; adapters are read from ${[...FLOATS].join(", ")}.`,
    );
  if (sameShape(shape, expected)) return;
  const [features, ranks] = side === "a" ? [1, 0] : [0, 1];
  if (side !== "magnitude" && shape.length === 2 && shape[features] === expected[features] && shape[ranks] !== rank) {
    throw new FormatError(
      file,
      `tensor ${quoted(loraKey(module, side))} is ${show(shape)}, but ${ADAPTER_CONFIG} gives ${module} rank ${rank}.`,
    );
  }
  const part = side === "magnitude" ? "lora_magnitude_vector" : `lora_${side.toUpperCase()}`;
  const what = `is for another base model. ${module}: ${part} should be ${show(expected)}, and is ${show(shape)}. Use the base it was trained on.`;
  throw new AdapterMismatchError(folder, module, expected, shape, what);
}

function lacking(folder: string, { module, rank }: LoraTarget, { inFeatures }: LinearModule): AdapterMismatchError {
  const what = `does not fit the base model: its config adapts ${module}, but it holds no tensors for it. Use the base it was trained on.`;
  return new AdapterMismatchError(folder, module, [rank, inFeatures], undefined, what);
}

/** What families call it. */
const HEADS: ReadonlySet<string> = new Set(["lm_head", "embed_out"]);

function unwanted(folder: string, module: string, parts: Parts, known: LinearModule | undefined): Error {
  if (known)
    return new FormatError(folder, `holds tensors for ${quoted(module)}, which target_modules of ${ADAPTER_CONFIG} does not name.`);
  const found = (parts.a ?? parts.b ?? parts.magnitude)!.shape;
  const which = HEADS.has(module)
    ? "which is the output head: LoRA on it is not supported. Train it whole instead (modules_to_save), or adapt the layers before it."
    : "which is not a linear layer of the base model. Use the base it was trained on.";
  const what = `adapts ${quoted(module)} (${parts.a ? "lora_A " : ""}${show(found)}), ${which}`;
  return new AdapterMismatchError(folder, module, undefined, found, what);
}
