// The names that most families have taken over from Llama's checkpoints.
import type { DecoderNames } from "../config/decoder-config.ts";

export const LLAMA_NAMES: DecoderNames = Object.freeze({
  embedding: "model.embed_tokens",
  positions: "",
  layers: "model.layers",
  finalNorm: "model.norm",
  head: "lm_head",
  query: "self_attn.q_proj",
  key: "self_attn.k_proj",
  value: "self_attn.v_proj",
  joined: "self_attn.qkv_proj",
  output: "self_attn.o_proj",
  queryNorm: "self_attn.q_norm",
  keyNorm: "self_attn.k_norm",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  gateUp: "mlp.gate_up_proj",
  down: "mlp.down_proj",
  attentionNorm: "input_layernorm",
  attentionOutNorm: "post_attention_layernorm",
  mlpNorm: "post_attention_layernorm",
  mlpOutNorm: "post_feedforward_layernorm",
});
