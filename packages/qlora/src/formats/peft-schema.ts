// `adapter_config.json` as PEFT 0.21 writes it for LoRA: which keys are read, which must stand at the value that means "not used", and which are
// of no account once an adapter is trained. Other keys are listed, for the caller to say so.
import * as z from "zod/mini";

const count = z.int().check(z.minimum(1), z.maximum(1 << 20));
const names = z.array(z.string().check(z.maxLength(1000))).check(z.maxLength(100_000));
const flag = z.pipe(
  z.nullish(z.boolean()),
  z.transform((x) => x ?? false),
);
const pattern = <T>(value: z.ZodMiniType<T>) =>
  z.pipe(
    z.nullish(z.record(z.string(), value)),
    z.transform((x) => Object.entries(x ?? {}) as [string, T][]),
  );

export const PeftSchema = z.object({
  peft_type: z.literal("LORA"),
  r: z._default(count, 8),
  lora_alpha: z._default(z.number().check(z.gt(0)), 8),
  lora_dropout: z._default(z.number().check(z.minimum(0), z.lt(1)), 0),
  target_modules: z.nullish(z.union([names, z.string().check(z.maxLength(4096))])),
  exclude_modules: z.nullish(z.union([names, z.string().check(z.maxLength(4096))])),
  layers_to_transform: z.nullish(z.union([z.int(), z.array(z.int()).check(z.maxLength(100_000))])),
  layers_pattern: z.nullish(z.union([names, z.string().check(z.maxLength(1000))])),
  rank_pattern: pattern(count),
  alpha_pattern: pattern(z.number().check(z.gt(0))),
  use_rslora: flag,
  init_lora_weights: z.nullish(z.union([z.boolean(), z.string().check(z.maxLength(100))])),
  bias: z.pipe(
    z.nullish(z.enum(["none", "all", "lora_only"])),
    z.transform((x) => x ?? "none"),
  ),
  use_dora: flag,
  modules_to_save: z.nullish(names),
  ensure_weight_tying: flag,
  fan_in_fan_out: flag,
  base_model_name_or_path: z.nullish(z.string().check(z.maxLength(4096))),
  task_type: z.nullish(z.string().check(z.maxLength(100))),
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
