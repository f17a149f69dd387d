// Llama 3's rotary frequencies as GGUF keeps them: a tensor with, for each frequency, what it is divided by. Source: llama.cpp v0.5.0,
// conversion/llama.py (`generate_extra_tensors`); the same formula as transformers' `_compute_llama3_parameters`.
import type { RopeConfig } from "../../config/decoder-config.ts";

/** One factor a pair of dimensions; undefined where frequencies are as they are. */
export function ropeFactors({ theta, size, scaling }: RopeConfig): Float32Array<ArrayBuffer> | undefined {
  if (scaling.kind !== "llama3") return undefined;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return Float32Array.from({ length: size / 2 }, (_, i) => {
    const frequency = Math.fround(1 / theta ** ((2 * i) / size));
    const turns = originalMaxPositions / ((2 * Math.PI) / frequency); // of this frequency, over the original length
    if (turns > highFreqFactor) return 1;
    if (turns < lowFreqFactor) return factor;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}
