// Every family that can be trained. This is the one list; a new family is a file beside this one, and a line here.
import type { Family } from "./family.ts";
import { gemma2, gemma3, gemma3Multimodal } from "./gemma.ts";
import { gptNeox } from "./gpt-neox.ts";
import { gpt2 } from "./gpt2.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { olmo2 } from "./olmo2.ts";
import { phi3 } from "./phi3.ts";
import { qwen2, qwen3 } from "./qwen.ts";
import { smollm3 } from "./smollm3.ts";
import { t5 } from "./t5.ts";

export const FAMILIES: readonly Family[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  smollm3,
  olmo2,
  phi3,
  gemma2,
  gemma3,
  gemma3Multimodal,
  gpt2,
  gptNeox,
  t5,
];
