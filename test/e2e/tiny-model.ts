// A tiny Llama of random weights as a Hugging Face folder, with the micro model's tokenizer or without one: enough for the command to do all it does.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { key, normal, numberToBf16 } from "@qlora-js/core";
import { modelTensors, parseModelConfig } from "@qlora-js/qlora";
import { writeSafetensorsFile } from "@qlora-js/qlora/node";

const MICRO = fileURLToPath(new URL("../../packages/qlora/micro/model/", import.meta.url));

export const TINY_CONFIG = {
  model_type: "llama",
  vocab_size: 1024,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: "bfloat16",
};

/** Writes the folder and returns its path. */
export async function writeTinyModel(
  folder: string,
  { tokenizer = true, config = TINY_CONFIG }: { tokenizer?: boolean; config?: object } = {},
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  if (tokenizer)
    for (const file of ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
      copyFileSync(join(MICRO, file), join(folder, file));
  const tensors = modelTensors(parseModelConfig(config)).map(({ name, shape, kind }, i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = kind === "norm" ? new Float32Array(count).fill(1) : normal(key(i), count, 0.1);
    return { name, shape, dtype: "BF16" as const, data: new Uint8Array(Uint16Array.from(values, numberToBf16).buffer) };
  });
  await writeSafetensorsFile(join(folder, "model.safetensors"), tensors);
  return folder;
}
