// Rotary frequencies as GGUF keeps them where no formula of llama.cpp gives them: tensors with what each frequency is divided by. Llama 3's scaling
// becomes one; LongRoPE's two lists become two. Source: llama.cpp v0.5.0, conversion/llama.py, conversion/phi.py (`generate_extra_tensors`).
import type { RopeConfig } from "../../config/decoder-config.ts";
import { ropeFrequencies } from "../../nn/rope-tables.ts";

/** The tensors by name, one number a pair of dimensions; none where frequencies are as they are. */
export function ropeFactors(rope: RopeConfig): ReadonlyMap<string, Float32Array<ArrayBuffer>> {
  const { scaling } = rope;
  if (scaling.kind === "longrope")
    return new Map([
      ["rope_factors_long.weight", Float32Array.from(scaling.longFactors)],
      ["rope_factors_short.weight", Float32Array.from(scaling.shortFactors)],
    ]);
  if (scaling.kind !== "llama3") return new Map();
  const plain = ropeFrequencies({ ...rope, scaling: { kind: "none" } }, 0);
  const scaled = ropeFrequencies(rope, 0);
  return new Map([["rope_freqs.weight", Float32Array.from(plain, (f, i) => f / scaled[i]!)]]);
}
