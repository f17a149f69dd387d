import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { parseModelConfig } from "./parse-model-config.ts";
import { wholeTensors } from "./savable-tensors.ts";

const llama = (more: object = {}) =>
  parseModelConfig({
    model_type: "llama",
    hidden_size: 8,
    intermediate_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    vocab_size: 10,
    ...more,
  });
const gpt2 = parseModelConfig({ model_type: "gpt2", n_embd: 8, n_layer: 1, n_head: 2, vocab_size: 10, n_positions: 4 });
const names = (modulesToSave: string[], config = llama(), bias: "none" | "all" | "lora_only" = "none", targets: string[] = []) =>
  wholeTensors({ modulesToSave, bias }, config, new Set(targets), "--modules-to-save").map(({ name }) => name);

test("modules are named by the ends of their names, as PEFT does: norm is every norm", () => {
  expect(names(["lm_head", "embed_tokens"])).toEqual(["model.embed_tokens.weight", "lm_head.weight"]);
  expect(names(["norm"])).toEqual([
    "model.layers.0.input_layernorm.weight",
    "model.layers.0.post_attention_layernorm.weight",
    "model.norm.weight",
  ]);
});

test("a tied head is a module of its own", () => {
  expect(names(["lm_head"], llama({ tie_word_embeddings: true }))).toEqual(["lm_head.weight"]);
});

test("biases: all of the model, or those of adapted layers", () => {
  expect(names([], gpt2, "all")).toHaveLength(4 + 2 + 1);
  expect(names([], gpt2, "lora_only", ["transformer.h.0.attn.c_attn"])).toEqual(["transformer.h.0.attn.c_attn.bias"]);
  expect(names([], llama(), "all")).toEqual([]);
});

describe("what cannot be trained whole is refused by name:", () => {
  test.each([
    [["q_proj"], /q_proj, a linear layer, which is frozen here/],
    [["mlp"], /"mlp" names no module that can be trained whole\. Give some of embed_tokens, .*lm_head/],
    [["lm_heads"], /"lm_heads" names no module/],
  ])("%j", (given, message) => {
    expect(() => names(given)).toThrow(UsageError);
    expect(() => names(given)).toThrow(message);
  });

  test("norms that multiply by 1 + weight", () => {
    const gemma = parseModelConfig({
      model_type: "gemma2",
      hidden_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 4,
      vocab_size: 10,
      intermediate_size: 16,
    });
    expect(() => names(["norm"], gemma)).toThrow(UsageError);
  });
});
