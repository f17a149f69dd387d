// What the process takes besides the device's buffers. Measured, not derived: the most resident memory of `qlora train` less the most its backend held,
// with the micro model (170 MB) and with SmolLM2 (268 MB).
import type { LlamaConfig } from "../config/llama-config.ts";

/** Node 20 with this package, compiled kernels, two threads, gaps between buffers, and garbage not yet collected. */
const PROGRAM = 165_000_000;
/** A tokenizer's tables, and logits on their way through the sampler. */
const BYTES_A_TOKEN = 2_000;

export const runtimeBytes = ({ vocabSize }: Pick<LlamaConfig, "vocabSize">): number => PROGRAM + BYTES_A_TOKEN * vocabSize;
