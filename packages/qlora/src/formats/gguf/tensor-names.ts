// Which tensor of a GGUF file is which of Hugging Face's, for each architecture, and how its numbers differ. One table, read in both directions.
// Names: gguf-py 0.19.0, constants.py (`MODEL_TENSORS`) and tensor_mapping.py. Changes: `modify_tensors` of llama.cpp's converter from Hugging Face.

/**
 * What the converter to GGUF does to a tensor's numbers; reading undoes it.
 * - `rotary-query`, `rotary-key`: rows of each head are reordered from two halves to pairs, (h, 2, d/2) → (h, d/2, 2), over the query's or the key's heads
 * - `plus-one`: 1 is added, since Hugging Face's norm multiplies by 1 + w
 * - `transpose`: Hugging Face keeps it as [in, out]; a vector is left alone
 * - `heads-apart`: rows go from (head, q|k|v, d) to (q|k|v, head, d)
 */
export type TensorChange = "rotary-query" | "rotary-key" | "plus-one" | "transpose" | "heads-apart";

/** One pair of names, without `.weight` or `.bias`; `{n}` is the layer. */
export interface TensorNames {
  readonly gguf: string;
  readonly huggingFace: string;
  /** Applies to weight and bias alike. */
  readonly change?: TensorChange;
}

const row = (gguf: string, huggingFace: string, change?: TensorChange): TensorNames =>
  change ? { gguf, huggingFace, change } : { gguf, huggingFace };
const block = (gguf: string, huggingFace: string, change?: TensorChange): TensorNames =>
  row(`blk.{n}.${gguf}`, `model.layers.{n}.${huggingFace}`, change);

const OUTER = [row("token_embd", "model.embed_tokens"), row("output", "lm_head")];
const QUERY_KEY = [block("attn_q", "self_attn.q_proj"), block("attn_k", "self_attn.k_proj")];
/** With rotation of neighbouring pairs, as Meta's own code has it. */
const PAIRED_QUERY_KEY = [block("attn_q", "self_attn.q_proj", "rotary-query"), block("attn_k", "self_attn.k_proj", "rotary-key")];
const VALUE_OUTPUT = [block("attn_v", "self_attn.v_proj"), block("attn_output", "self_attn.o_proj")];
const QUERY_KEY_NORM = [block("attn_q_norm", "self_attn.q_norm"), block("attn_k_norm", "self_attn.k_norm")];
const GATED_MLP = [block("ffn_gate", "mlp.gate_proj"), block("ffn_up", "mlp.up_proj"), block("ffn_down", "mlp.down_proj")];
const FINAL_NORM = [row("output_norm", "model.norm")];
const NORMS_BEFORE = [...FINAL_NORM, block("attn_norm", "input_layernorm"), block("ffn_norm", "post_attention_layernorm")];
const NORMS_AFTER = [
  ...FINAL_NORM,
  block("post_attention_norm", "post_attention_layernorm"),
  block("post_ffw_norm", "post_feedforward_layernorm"),
];
const NORMS_AROUND = [...NORMS_AFTER, block("attn_norm", "input_layernorm"), block("ffn_norm", "pre_feedforward_layernorm")];
const plusOne = (rows: readonly TensorNames[]): TensorNames[] => rows.map((names) => ({ ...names, change: "plus-one" }));

const LLAMA = [...OUTER, ...NORMS_BEFORE, ...PAIRED_QUERY_KEY, ...VALUE_OUTPUT, ...GATED_MLP];
const QWEN2 = [...OUTER, ...NORMS_BEFORE, ...QUERY_KEY, ...VALUE_OUTPUT, ...GATED_MLP];
const GEMMA2 = [...OUTER, ...plusOne(NORMS_AROUND), ...QUERY_KEY, ...VALUE_OUTPUT, ...GATED_MLP];

const gpt2Block = (gguf: string, huggingFace: string, change?: TensorChange) =>
  row(`blk.{n}.${gguf}`, `transformer.h.{n}.${huggingFace}`, change);
const neoxBlock = (gguf: string, huggingFace: string, change?: TensorChange) =>
  row(`blk.{n}.${gguf}`, `gpt_neox.layers.{n}.${huggingFace}`, change);

/** T5's: `enc.blk.{n}.` and `dec.blk.{n}.`; the position of a part in its block is in Hugging Face's name. */
function t5Blocks(side: "enc" | "dec"): TensorNames[] {
  const own = (gguf: string, huggingFace: string) =>
    row(`${side}.blk.{n}.${gguf}`, `${side === "enc" ? "encoder" : "decoder"}.block.{n}.layer.${huggingFace}`);
  const attention = (prefix: string, module: string) => ["q", "k", "v", "o"].map((part) => own(`${prefix}_${part}`, `${module}.${part}`));
  const mlp = side === "enc" ? 1 : 2;
  return [
    own("attn_norm", "0.layer_norm"),
    ...attention("attn", "0.SelfAttention"),
    own("attn_rel_b", "0.SelfAttention.relative_attention_bias"),
    ...(side === "enc" ? [] : [own("cross_attn_norm", "1.layer_norm"), ...attention("cross_attn", "1.EncDecAttention")]),
    own("ffn_norm", `${mlp}.layer_norm`),
    own("ffn_gate", `${mlp}.DenseReluDense.wi_0`),
    own("ffn_up", `${mlp}.DenseReluDense.wi_1`),
    own("ffn_down", `${mlp}.DenseReluDense.wo`),
  ];
}

const T5 = [
  row("token_embd", "shared"),
  row("output", "lm_head"),
  row("enc.output_norm", "encoder.final_layer_norm"),
  row("dec.output_norm", "decoder.final_layer_norm"),
  ...t5Blocks("enc"),
  ...t5Blocks("dec"),
];

/** T5 1.0's, whose MLPs have no gate, and call what is left by another name. */
export const T5_WITHOUT_GATE: readonly TensorNames[] = T5.filter(({ gguf }) => !gguf.endsWith("ffn_gate")).map((names) =>
  row(names.gguf, names.huggingFace.replace(/\.wi_1$/, ".wi")),
);

/** By `general.architecture`. Mistral's models are of the architecture `llama`. */
export const TENSOR_NAMES = {
  llama: LLAMA,
  smollm3: LLAMA,
  qwen2: QWEN2,
  qwen3: [...QWEN2, ...QUERY_KEY_NORM],
  olmo2: [...OUTER, ...NORMS_AFTER, ...QUERY_KEY, ...QUERY_KEY_NORM, ...VALUE_OUTPUT, ...GATED_MLP],
  gemma2: GEMMA2,
  gemma3: [...GEMMA2, ...plusOne(QUERY_KEY_NORM)],
  phi3: [
    ...OUTER,
    ...NORMS_BEFORE,
    block("attn_qkv", "self_attn.qkv_proj"),
    block("attn_output", "self_attn.o_proj"),
    block("ffn_up", "mlp.gate_up_proj"),
    block("ffn_down", "mlp.down_proj"),
  ],
  gpt2: [
    row("token_embd", "transformer.wte"),
    row("position_embd", "transformer.wpe"),
    row("output_norm", "transformer.ln_f"),
    row("output", "lm_head"),
    gpt2Block("attn_norm", "ln_1"),
    gpt2Block("attn_qkv", "attn.c_attn", "transpose"),
    gpt2Block("attn_output", "attn.c_proj", "transpose"),
    gpt2Block("ffn_norm", "ln_2"),
    gpt2Block("ffn_up", "mlp.c_fc", "transpose"),
    gpt2Block("ffn_down", "mlp.c_proj", "transpose"),
  ],
  gptneox: [
    row("token_embd", "gpt_neox.embed_in"),
    row("output_norm", "gpt_neox.final_layer_norm"),
    row("output", "embed_out"),
    neoxBlock("attn_norm", "input_layernorm"),
    neoxBlock("attn_qkv", "attention.query_key_value", "heads-apart"),
    neoxBlock("attn_output", "attention.dense"),
    neoxBlock("ffn_norm", "post_attention_layernorm"),
    neoxBlock("ffn_up", "mlp.dense_h_to_4h"),
    neoxBlock("ffn_down", "mlp.dense_4h_to_h"),
  ],
  t5: T5,
} as const satisfies Record<string, readonly TensorNames[]>;

/** A `general.architecture` that is read and written. */
export type GgufArchitecture = keyof typeof TENSOR_NAMES;
