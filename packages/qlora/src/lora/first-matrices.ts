// What A and B are before the first step, where that depends on sizes and the seed alone (PEFT's `reset_lora_parameters`).
import { fold, key, normal, uniform } from "@qlora-js/core";
import type { LoraInit } from "../formats/peft-config.ts";
import type { Linear } from "../nn/linear.ts";
import type { Matrices } from "./residual.ts";

/** Names the stream of random numbers for initial weights, apart from those of data order and dropout under the same seed. */
const INIT_STREAM = 0x6c6f7261; // "lora"

/**
 * A uniform in ±1/√in (Kaiming with a = √5) and B zero; "gaussian": A normal with deviation 1/rank; "random": B uniform in ±1/√rank too, as PyTorch makes
 * linear layers.
 */
export function firstMatrices(
  init: LoraInit,
  rank: number,
  base: Pick<Linear, "inFeatures" | "outFeatures">,
  seed: number,
  site: number,
): Matrices {
  const { inFeatures, outFeatures } = base;
  const stream = fold(fold(key(seed), INIT_STREAM), site);
  const [size, bound] = [rank * inFeatures, 1 / Math.sqrt(inFeatures)];
  const a = init === "gaussian" ? normal(stream, size, 1 / rank) : uniform(stream, size, -bound, bound);
  const widest = 1 / Math.sqrt(rank);
  const b = init === "random" ? uniform(fold(stream, 1), outFeatures * rank, -widest, widest) : new Float32Array(outFeatures * rank);
  return { a, b };
}
