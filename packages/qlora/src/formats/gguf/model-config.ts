// A GGUF file's metadata as the config.json that Hugging Face has for the same model. What metadata does not say is what the architecture always is.
// Source: `set_gguf_parameters` of llama.cpp's converter, and what llama.cpp takes where a value is missing.
import { UnsupportedError } from "@qlora-js/core";
import { T5_GATE } from "./model-tensors.ts";
import { type RopeTables, ropeScaling } from "./rope-settings.ts";
import type { Settings } from "./settings.ts";
import type { GgufArchitecture } from "./tensor-names.ts";

/** What the tensors of a file say of the model. */
export interface ModelFacts {
  readonly vocabularySize: number;
  /** Whether the head is the embedding. */
  readonly tied: boolean;
  /** What most weights are in. */
  readonly dtype: "float32" | "float16" | "bfloat16";
  readonly ropeTables: RopeTables;
  /** Whether there is a tensor of this GGUF name. */
  has(tensor: string): boolean;
}

export type ConfigJson = Readonly<Record<string, unknown>>;

/**
 * @throws FormatError if metadata is missing or cannot be
 * @throws UnsupportedError for what would change the numbers and is not done
 */
export function modelConfig(architecture: GgufArchitecture, settings: Settings, facts: ModelFacts): ConfigJson {
  const experts = settings.optionalSize("expert_count");
  if (experts) throw new UnsupportedError(`${settings.gguf.file}: a mixture of ${experts} experts is not supported. Dense models are.`);
  return { ...READERS[architecture](settings, facts), ...common(settings, facts) };
}

function common(settings: Settings, { vocabularySize, tied, dtype }: ModelFacts): ConfigJson {
  const id = (name: string) => settings.general(`tokenizer.ggml.${name}_token_id`, "number");
  const ends = ["eos", "eot", "eom"].map(id).filter((end) => end !== undefined);
  return {
    vocab_size: vocabularySize,
    tie_word_embeddings: tied,
    torch_dtype: dtype,
    bos_token_id: id("bos") ?? null,
    eos_token_id: ends.length > 1 ? [...new Set(ends)] : (ends[0] ?? null),
    pad_token_id: id("padding") ?? null,
  };
}

const DEFAULT_THETA = 10_000;
const headDim = (settings: Settings): number =>
  settings.optionalSize("attention.key_length") ?? settings.size("embedding_length") / settings.size("attention.head_count");
const theta = (settings: Settings): number => settings.optionalNumber("rope.freq_base") ?? DEFAULT_THETA;
const rotaryShare = (settings: Settings): number =>
  (settings.optionalSize("rope.dimension_count") ?? headDim(settings)) / headDim(settings);

function llamaLike(modelType: string, architecture: string, settings: Settings, { ropeTables }: ModelFacts): ConfigJson {
  return {
    architectures: [architecture],
    model_type: modelType,
    hidden_size: settings.size("embedding_length"),
    intermediate_size: settings.size("feed_forward_length"),
    num_hidden_layers: settings.size("block_count"),
    num_attention_heads: settings.size("attention.head_count"),
    num_key_value_heads: settings.optionalSize("attention.head_count_kv") ?? settings.size("attention.head_count"),
    head_dim: headDim(settings),
    hidden_act: "silu",
    max_position_embeddings: settings.size("context_length"),
    rms_norm_eps: settings.number("attention.layer_norm_rms_epsilon"),
    rope_theta: theta(settings),
    rope_scaling: ropeScaling(settings, ropeTables, theta(settings), headDim(settings) * rotaryShare(settings)),
  };
}

/** Of models that turn whole heads. */
function wholeHeads(settings: Settings): void {
  if (rotaryShare(settings) === 1) return;
  throw new UnsupportedError(
    `${settings.gguf.file}: ${settings.architecture}.rope.dimension_count is not the size of a head, ${headDim(settings)}, which is not supported.`,
  );
}

function llama(settings: Settings, facts: ModelFacts): ConfigJson {
  wholeHeads(settings);
  const window = settings.optionalSize("attention.sliding_window");
  const [type, name] = window ? ["mistral", "MistralForCausalLM"] : ["llama", "LlamaForCausalLM"];
  return {
    ...llamaLike(type, name, settings, facts),
    attention_bias: facts.has("blk.0.attn_q.bias"),
    mlp_bias: facts.has("blk.0.ffn_down.bias"),
    ...(window ? { sliding_window: window } : {}),
  };
}

function smollm3(settings: Settings, facts: ModelFacts): ConfigJson {
  wholeHeads(settings);
  return { ...llamaLike("smollm3", "SmolLM3ForCausalLM", settings, facts), no_rope_layer_interval: 4, use_sliding_window: false };
}

function qwen2(settings: Settings, facts: ModelFacts): ConfigJson {
  return { ...llamaLike("qwen2", "Qwen2ForCausalLM", settings, facts), use_sliding_window: false };
}

function qwen3(settings: Settings, facts: ModelFacts): ConfigJson {
  return { ...llamaLike("qwen3", "Qwen3ForCausalLM", settings, facts), attention_bias: false, use_sliding_window: false };
}

function olmo2(settings: Settings, facts: ModelFacts): ConfigJson {
  if (settings.optionalSize("attention.sliding_window"))
    throw new UnsupportedError(`${settings.gguf.file}: OLMo 3's sliding windows are not supported. OLMo 2 is.`);
  return { ...llamaLike("olmo2", "Olmo2ForCausalLM", settings, facts), attention_bias: false };
}

function phi3(settings: Settings, facts: ModelFacts): ConfigJson {
  const original = settings.optionalSize("rope.scaling.original_context_length");
  return {
    ...llamaLike("phi3", "Phi3ForCausalLM", settings, facts),
    partial_rotary_factor: rotaryShare(settings),
    original_max_position_embeddings: original ?? settings.size("context_length"),
    sliding_window: settings.optionalSize("attention.sliding_window") ?? null,
  };
}

/** Of their 27B models, which have 46 and 62 layers, the scores are scaled by the width that a head would have were they to share the hidden width. */
function queryScalar(settings: Settings, layersOf27B: number): number {
  const is27B = settings.size("block_count") === layersOf27B;
  return is27B ? settings.size("embedding_length") / settings.size("attention.head_count") : headDim(settings);
}

function gemma2(settings: Settings, facts: ModelFacts): ConfigJson {
  return {
    ...llamaLike("gemma2", "Gemma2ForCausalLM", settings, facts),
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: queryScalar(settings, 46),
    attn_logit_softcapping: settings.optionalNumber("attn_logit_softcapping") ?? 50,
    final_logit_softcapping: settings.optionalNumber("final_logit_softcapping") ?? 30,
    sliding_window: settings.optionalSize("attention.sliding_window") ?? 4096,
  };
}

function gemma3(settings: Settings, facts: ModelFacts): ConfigJson {
  return {
    ...llamaLike("gemma3_text", "Gemma3ForCausalLM", settings, facts),
    rope_theta: settings.optionalNumber("rope.freq_base") ?? 1_000_000,
    rope_local_base_freq: settings.optionalNumber("rope.freq_base_swa") ?? DEFAULT_THETA,
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: queryScalar(settings, 62),
    sliding_window: settings.size("attention.sliding_window"),
    ...slidingLayers(settings),
  };
}

/** Every sixth layer sees all, unless the file lists them or says which. */
function slidingLayers(settings: Settings): ConfigJson {
  const pattern = settings.value("attention.sliding_window_pattern");
  if (!(pattern instanceof Uint8Array) || pattern.length > settings.size("block_count"))
    return { sliding_window_pattern: typeof pattern === "number" ? pattern : 6 };
  return { layer_types: [...pattern].map((slides) => (slides ? "sliding_attention" : "full_attention")) };
}

function gpt2(settings: Settings): ConfigJson {
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    n_embd: settings.size("embedding_length"),
    n_inner: settings.size("feed_forward_length"),
    n_layer: settings.size("block_count"),
    n_head: settings.size("attention.head_count"),
    n_positions: settings.size("context_length"),
    activation_function: "gelu_new",
    layer_norm_epsilon: settings.number("attention.layer_norm_epsilon"),
  };
}

function gptNeox(settings: Settings): ConfigJson {
  return {
    architectures: ["GPTNeoXForCausalLM"],
    model_type: "gpt_neox",
    hidden_size: settings.size("embedding_length"),
    intermediate_size: settings.size("feed_forward_length"),
    num_hidden_layers: settings.size("block_count"),
    num_attention_heads: settings.size("attention.head_count"),
    hidden_act: "gelu",
    max_position_embeddings: settings.size("context_length"),
    layer_norm_eps: settings.number("attention.layer_norm_epsilon"),
    rotary_pct: rotaryShare(settings),
    rotary_emb_base: theta(settings),
    use_parallel_residual: settings.flag("use_parallel_residual") ?? true,
  };
}

/** What its MLPs do is told by the gate alone: ReLU without, GELU with. How far distances reach is the same for all. */
function t5(settings: Settings, facts: ModelFacts): ConfigJson {
  const layers = settings.size("block_count");
  return {
    architectures: ["T5ForConditionalGeneration"],
    model_type: "t5",
    is_encoder_decoder: true,
    d_model: settings.size("embedding_length"),
    d_kv: settings.size("attention.key_length"),
    d_ff: settings.size("feed_forward_length"),
    num_layers: layers,
    num_decoder_layers: settings.optionalSize("decoder_block_count") ?? layers,
    num_heads: settings.size("attention.head_count"),
    relative_attention_num_buckets: settings.size("attention.relative_buckets_count"),
    relative_attention_max_distance: 128,
    layer_norm_epsilon: settings.optionalNumber("attention.layer_norm_rms_epsilon") ?? settings.number("attention.layer_norm_epsilon"),
    feed_forward_proj: facts.has(T5_GATE) ? "gated-gelu" : "relu",
    decoder_start_token_id: settings.optionalNumber("decoder_start_token_id") ?? 0,
  };
}

const READERS: Readonly<Record<GgufArchitecture, (settings: Settings, facts: ModelFacts) => ConfigJson>> = {
  llama,
  smollm3,
  qwen2,
  qwen3,
  olmo2,
  phi3,
  gemma2,
  gemma3,
  gpt2,
  gptneox: gptNeox,
  t5,
};
