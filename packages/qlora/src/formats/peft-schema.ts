// `adapter_config.json` as PEFT 0.21 writes it for LoRA: which keys are read, which must stand at the value that means "not used", and which are
// of no account once an adapter is trained. Other keys are listed, for the caller to say so.
import { z } from "zod";

const count = z
  .int()
  .min(1)
  .max(1 << 20);
const names = z.array(z.string().max(1000)).max(100_000);
const flag = z
  .boolean()
  .nullish()
  .transform((x) => x ?? false);
const pattern = <T>(value: z.ZodType<T>) =>
  z
    .record(z.string(), value)
    .nullish()
    .transform((x) => Object.entries(x ?? {}) as [string, T][]);

export const PeftSchema = z.object({
  peft_type: z.literal("LORA"),
  r: count.default(8),
  lora_alpha: z.number().gt(0).default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: z.union([names, z.string().max(4096)]).nullish(),
  exclude_modules: z.union([names, z.string().max(4096)]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int()).max(100_000)]).nullish(),
  layers_pattern: z.union([names, z.string().max(1000)]).nullish(),
  rank_pattern: pattern(count),
  alpha_pattern: pattern(z.number().gt(0)),
  use_rslora: flag,
  init_lora_weights: z.union([z.boolean(), z.string().max(100)]).nullish(),
  bias: z
    .enum(["none", "all", "lora_only"])
    .nullish()
    .transform((x) => x ?? "none"),
  use_dora: flag,
  modules_to_save: names.nullish(),
  ensure_weight_tying: flag,
  fan_in_fan_out: flag,
  base_model_name_or_path: z.string().max(4096).nullish(),
  task_type: z.string().max(100).nullish(),
});

/** Keys that must not be used, with the words for what they are. Used is whatever is not null, false or empty. */
export const REFUSED: Readonly<Record<string, { readonly what: string }>> = {
  lora_bias: { what: "biases on LoRA's matrices" },
  target_parameters: { what: "adapted parameters outside modules" },
  trainable_token_indices: { what: "single trained tokens" },
  layer_replication: { what: "replicated layers" },
  use_qalora: { what: "QALoRA" },
  alora_invocation_tokens: { what: "aLoRA" },
  use_bdlora: { what: "BD-LoRA" },
  arrow_config: { what: "Arrow" },
  kasa_config: { what: "KaSA" },
  velora_config: { what: "VeLoRA" },
  monteclora_config: { what: "Monte-CLoRA" },
};

/** Keys that say how an adapter was begun or where it was loaded, and nothing about what it computes. */
const OF_NO_ACCOUNT = [
  "auto_mapping",
  "corda_config",
  "eva_config",
  "inference_mode",
  "loftq_config",
  "lora_ga_config",
  "megatron_config",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
  "revision",
  "runtime_config",
];

const KNOWN: ReadonlySet<string> = new Set([...Object.keys(PeftSchema.shape), ...Object.keys(REFUSED), ...OF_NO_ACCOUNT]);

/** Keys this version knows nothing of, sorted; PEFT passes such keys over, with a warning. */
export const unknownKeys = (json: object): string[] =>
  Object.keys(json)
    .filter((key) => !KNOWN.has(key))
    .sort();
