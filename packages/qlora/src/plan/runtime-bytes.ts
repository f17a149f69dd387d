// What the process takes besides the device's buffers. Measured, not derived: resident memory of a training process less what its backend held.
import type { LlamaConfig } from "../config/llama-config.ts";

/** Node 20 with this package, compiled kernels, two threads, and the garbage of a step. */
const PROGRAM = 150_000_000;
/** A tokenizer's tables: 65 MB for the 49 152 entries of SmolLM2. */
const BYTES_A_TOKEN = 1_300;

export const runtimeBytes = ({ vocabSize }: Pick<LlamaConfig, "vocabSize">): number => PROGRAM + BYTES_A_TOKEN * vocabSize;
