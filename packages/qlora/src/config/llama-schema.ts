// The keys of a Llama's `config.json` that are read, and what they may hold. Other keys are of no account to the numbers. Missing ones get the
// values transformers' LlamaConfig gives them. The upper bounds are far above any model; they keep a damaged file from asking for the impossible.
import { z } from "zod";

/** Values of `model_type` that can be trained. */
export const SUPPORTED_MODEL_TYPES = ["llama"] as const;

const size = (most: number) => z.int().min(1).max(most);
const tokenId = z
  .int()
  .min(-1)
  .max(1 << 30);
const flag = z
  .boolean()
  .nullish()
  .transform((x) => x ?? false);
const positive = z.number().gt(0);

/** Rotary settings: v4's `rope_scaling`, v5's `rope_parameters`. Values are checked once the kind is known. */
const rope = z.record(z.string(), z.unknown()).nullish();

export const LlamaSchema = z.object({
  model_type: z.literal("llama"),
  hidden_size: size(1 << 20),
  intermediate_size: size(1 << 22),
  num_hidden_layers: size(4096),
  num_attention_heads: size(1 << 16),
  num_key_value_heads: size(1 << 16).nullish(),
  head_dim: size(1 << 16).nullish(),
  vocab_size: size(1 << 24),
  max_position_embeddings: size(1 << 30).default(2048),
  original_max_position_embeddings: size(1 << 30).nullish(),
  rms_norm_eps: positive.max(1).default(1e-6),
  rope_theta: positive.nullish(),
  rope_scaling: rope,
  rope_parameters: rope,
  partial_rotary_factor: positive.nullish(),
  rope_interleaved: flag,
  tie_word_embeddings: flag,
  attention_bias: flag,
  mlp_bias: flag,
  attention_dropout: z.number().nullish(),
  hidden_act: z.string().default("silu"),
  is_encoder_decoder: flag,
  quantization_config: z.record(z.string(), z.unknown()).nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId.min(0), z.array(tokenId.min(0)).max(1000)]).nullish(),
  pad_token_id: tokenId.nullish(),
  dtype: z.string().nullish(),
  torch_dtype: z.string().nullish(),
});

export type LlamaJson = z.infer<typeof LlamaSchema>;

export const GenerationSchema = z.object({ eos_token_id: LlamaSchema.shape.eos_token_id });
