// What the process takes besides the device's buffers. Measured, not derived: the most resident memory of `qlora train` less the most its backend held,
// with the micro model (113 MB) and with SmolLM2 (143 to 148 MB).
import type { ModelConfig } from "../config/model-config.ts";

/** Node 20 with this package, compiled kernels, two threads, gaps between buffers, and garbage not yet collected. */
const PROGRAM = 115_000_000;
/** A tokenizer's tables, and logits on their way through the sampler. */
const BYTES_A_TOKEN = 700;

export const runtimeBytes = ({ vocabSize }: Pick<ModelConfig, "vocabSize">): number => PROGRAM + BYTES_A_TOKEN * vocabSize;
