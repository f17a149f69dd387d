// A LoRA adapter's settings: what PEFT's `adapter_config.json` says, as plain values, and back. Settings that would change what the adapter
// computes and are not done here are refused by name.
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { PeftSchema, REFUSED, unknownKeys } from "./peft-schema.ts";
import { quoted } from "./quoted.ts";
import { checkJson } from "./read-json.ts";

export const ADAPTER_CONFIG = "adapter_config.json";
export const ALL_LINEAR = "all-linear";

/** The PEFT release whose files these are; PEFT compares it with its own. */
const PEFT_VERSION = "0.21.2";

const TASK_TYPES = ["CAUSAL_LM", "SEQ_2_SEQ_LM"] as const;
export type TaskType = (typeof TASK_TYPES)[number];
/**
 * How a new adapter begins. A as PEFT's default and B zero; A normal with deviation 1/rank and B zero; both random; both from the weight's own largest
 * singular values (PiSSA, by an exact decomposition or in so many rounds); or from the largest of what quantization takes off (LoftQ).
 */
export type LoraInit = "default" | "gaussian" | "random" | "pissa" | `pissa_niter_${number}` | "loftq";

/** Which biases are trained: none, all of the model, or those of adapted layers. */
export type TrainedBias = "none" | "all" | "lora_only";

/** A LoRA adapter's settings, as PEFT's `adapter_config.json` says them. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Names or their ends after a dot; or a pattern for whole names; or "all-linear". */
  readonly targetModules: string | readonly string[];
  readonly excludeModules: string | readonly string[] | undefined;
  /** Only these layers, where targets are a list. */
  readonly layersToTransform: readonly number[] | undefined;
  /** What the list of layers is called in a module's name; undefined takes any. */
  readonly layersPattern: readonly string[] | undefined;
  /** Ranks of modules whose names end in a match, the first that matches; others have `rank`. */
  readonly rankPattern: readonly (readonly [pattern: string, rank: number])[];
  readonly alphaPattern: readonly (readonly [pattern: string, alpha: number])[];
  /** Scale by alpha / √rank instead of alpha / rank. */
  readonly useRslora: boolean;
  /** What the model does: PEFT wraps it accordingly. */
  readonly taskType: TaskType;
  /** Rows of the adapted weight have trained lengths (DoRA). */
  readonly useDora: boolean;
  /** Ends of the names of modules that are trained whole. */
  readonly modulesToSave: readonly string[];
  readonly bias: TrainedBias;
  /** What PEFT says of a base whose weights are [in, out]. */
  readonly fanInFanOut: boolean;
  readonly init: LoraInit;
  readonly baseModel: string | undefined;
}

/** Settings of a new adapter: what is given, and PEFT's values for the rest. */
export function loraSettings(given: Pick<LoraSettings, "rank" | "alpha" | "targetModules"> & Partial<LoraSettings>): LoraSettings {
  return Object.freeze({
    dropout: 0,
    excludeModules: undefined,
    layersToTransform: undefined,
    layersPattern: undefined,
    rankPattern: [],
    alphaPattern: [],
    useRslora: false,
    taskType: "CAUSAL_LM",
    useDora: false,
    modulesToSave: [],
    bias: "none",
    fanInFanOut: false,
    init: "default",
    baseModel: undefined,
    ...given,
  });
}

export interface ParsePeftOptions {
  /** Reads an adapter that PiSSA began and that was saved as it was; `pissaAsLora` makes something of it. */
  readonly allowPissa?: boolean;
  /** A new adapter is begun by it: then PiSSA and LoftQ are done. */
  readonly toBegin?: boolean;
}

export interface ParsedPeftConfig {
  readonly settings: LoraSettings;
  /** Keys that are not known here and were passed over. */
  readonly unknownKeys: readonly string[];
}

/**
 * Reads an `adapter_config.json` as PEFT writes it. Source: peft tuners/lora/config.py, LoraConfig.
 * @param file name for errors
 * @throws UsageError for an adapter of another kind, or a feature that is not done here
 * @throws FormatError if a value is missing or cannot be
 */
export function parsePeftConfig(file: string, json: unknown, options: ParsePeftOptions = {}): ParsedPeftConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new FormatError(file, "is not an object.");
  const { peft_type } = json as { peft_type?: unknown };
  if (peft_type !== undefined && peft_type !== "LORA") {
    throw new UsageError(file, `an adapter of type ${quoted(peft_type)} is not supported. LoRA adapters are.`, {
      key: "peft_type",
      value: peft_type,
    });
  }
  refuseUnsupported(file, json as Readonly<Record<string, unknown>>);
  const raw = checkJson(file, PeftSchema, json);
  const init = initOf(file, raw.init_lora_weights, options);
  if (raw.ensure_weight_tying && raw.modules_to_save?.length)
    throw new UsageError(file, "ensure_weight_tying true with modules_to_save is not supported: each module is trained as its own here.", {
      key: "ensure_weight_tying",
      value: true,
    });
  if (raw.target_modules === null || raw.target_modules === undefined)
    throw new FormatError(file, '"target_modules" is missing, so no module can be adapted.');
  const settings = loraSettings({
    rank: raw.r,
    alpha: raw.lora_alpha,
    dropout: raw.lora_dropout,
    targetModules: raw.target_modules,
    excludeModules: raw.exclude_modules ?? undefined,
    layersToTransform: asList(raw.layers_to_transform),
    layersPattern: asList(raw.layers_pattern),
    rankPattern: raw.rank_pattern,
    alphaPattern: raw.alpha_pattern,
    useRslora: raw.use_rslora,
    taskType: taskType(file, raw.task_type),
    useDora: raw.use_dora,
    modulesToSave: raw.modules_to_save ?? [],
    bias: raw.bias,
    fanInFanOut: raw.fan_in_fan_out,
    init,
    baseModel: raw.base_model_name_or_path ?? undefined,
  });
  return { settings, unknownKeys: unknownKeys(json) };
}

function taskType(file: string, given: string | null | undefined): TaskType {
  if (!given) return "CAUSAL_LM";
  const known = TASK_TYPES.find((type) => type === given);
  if (known) return known;
  throw new UsageError(file, `task_type ${quoted(given)} is not supported. ${TASK_TYPES.join(" and ")} are.`, {
    key: "task_type",
    value: given,
  });
}

/** One value or a list as a list; none, or an empty list, as undefined. */
function asList<T extends string | number>(given: T | readonly T[] | null | undefined): readonly T[] | undefined {
  if (given === null || given === undefined) return undefined;
  const list = typeof given === "object" ? given : [given];
  return list.length > 0 ? list : undefined;
}

function refuseUnsupported(file: string, json: Readonly<Record<string, unknown>>): void {
  for (const [key, { what }] of Object.entries(REFUSED)) {
    const value = json[key];
    if (!isUsed(value)) continue;
    throw new UsageError(file, `${key} ${quoted(value)} is not supported (${what}). Plain LoRA is.`, { key, value });
  }
}

function isUsed(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Ways to begin that leave the base as it was. The others move a part of the base into the adapter, so it fits the changed base alone. */
const PLAIN_INITS: ReadonlySet<unknown> = new Set([undefined, null, true, false, "gaussian", "eva", "orthogonal", "mica"]);

/** Ways to begin that are done here on the weights as they come in. */
const BEGINNINGS = /^(?:pissa(?:_niter_[1-9]\d{0,2})?|loftq)$/;

function initOf(file: string, init: unknown, { allowPissa = false, toBegin = false }: ParsePeftOptions): LoraInit {
  if (toBegin && typeof init === "string" && BEGINNINGS.test(init)) return init as LoraInit;
  if (init === "pissa" && allowPissa) return "pissa";
  if (PLAIN_INITS.has(init)) return init === false ? "random" : init === "gaussian" ? "gaussian" : "default";
  const how =
    init === "pissa"
      ? "Convert it first: qlora export MODEL --adapter DIR --as peft --to PATH."
      : "Convert the adapter to plain LoRA with path_initial_model_for_weight_conversion of PEFT's save_pretrained.";
  throw new UsageError(file, `init_lora_weights ${quoted(init)} is not supported: it changes the base. ${how}`, {
    key: "init_lora_weights",
    value: init,
  });
}

/** The text of `adapter_config.json` for these settings: every key that PEFT writes, sorted, indented by two. */
export function formatPeftConfig(s: LoraSettings): string {
  const all: Record<string, unknown> = {
    ...UNUSED,
    peft_type: "LORA",
    peft_version: PEFT_VERSION,
    task_type: s.taskType,
    inference_mode: true,
    base_model_name_or_path: s.baseModel ?? null,
    r: s.rank,
    lora_alpha: s.alpha,
    lora_dropout: s.dropout,
    target_modules: s.targetModules,
    exclude_modules: s.excludeModules ?? null,
    layers_to_transform: s.layersToTransform ?? null,
    layers_pattern: s.layersPattern ?? null,
    rank_pattern: Object.fromEntries(s.rankPattern),
    alpha_pattern: Object.fromEntries(s.alphaPattern),
    use_rslora: s.useRslora,
    use_dora: s.useDora,
    modules_to_save: s.modulesToSave.length > 0 ? s.modulesToSave : null,
    bias: s.bias,
    fan_in_fan_out: s.fanInFanOut,
    init_lora_weights: storedInit(s.init),
  };
  return JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))), undefined, 2);
}

/** The other ways do not outlive the beginning: what they leave is plain LoRA, or is converted to it. */
const storedInit = (init: LoraInit): boolean | string => (init === "random" ? false : init === "gaussian" ? init : true);

/** PEFT's defaults of what is not used here (`LoraConfig` of 0.21.2). */
const UNUSED: Readonly<Record<string, unknown>> = {
  alora_invocation_tokens: null,
  arrow_config: null,
  auto_mapping: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  kasa_config: null,
  layer_replication: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: "megatron.core",
  monteclora_config: null,
  qalora_group_size: 16,
  revision: null,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_qalora: false,
  velora_config: null,
};
