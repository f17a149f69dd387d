// Cosines and sines of rotary positions, computed in f32 where transformers does (modeling_rope_utils.py), so that angles agree in the last bit that matters.
import type { RopeConfig, RopeScaling } from "../config/decoder-config.ts";

export interface RopeTables {
  /** f32 [count, size / 2] */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Angles of `count` positions from `first` on: position · frequency, one frequency a pair of the dimensions that are turned. */
export function ropeTables(rope: RopeConfig, first: number, count: number): RopeTables {
  const frequencies = ropeFrequencies(rope, first + count);
  const factor = "attentionFactor" in rope.scaling ? rope.scaling.attentionFactor : 1;
  const half = frequencies.length;
  const cos = new Float32Array(count * half);
  const sin = new Float32Array(count * half);
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround((first + p) * frequencies[i]!);
      cos[p * half + i] = Math.fround(Math.cos(angle)) * factor;
      sin[p * half + i] = Math.fround(Math.sin(angle)) * factor;
    }
  }
  return { cos, sin };
}

/** θ^(−2i/d) for i < d/2, rescaled as the config says, for a text of `length` tokens. */
export function ropeFrequencies({ size, theta, scaling }: RopeConfig, length: number): Float32Array {
  const waves = (base: number): Float32Array =>
    Float32Array.from({ length: size / 2 }, (_, i) => base ** Math.fround(Math.fround(2 * i) / size));
  const inverse = (base: number): Float32Array => waves(base).map((wave) => 1 / wave);
  switch (scaling.kind) {
    case "none":
      return inverse(theta);
    case "linear":
      return inverse(theta).map((f) => f / scaling.factor);
    case "llama3":
      return llama3(inverse(theta), scaling);
    case "dynamic": {
      const { factor, maxPositions } = scaling;
      const stretched = (factor * Math.max(length, maxPositions)) / maxPositions - (factor - 1);
      return inverse(theta * stretched ** (size / (size - 2)));
    }
    case "yarn":
      return yarn(waves(theta), theta, size, scaling);
    case "longrope": {
      const factors = length > scaling.originalMaxPositions ? scaling.longFactors : scaling.shortFactors;
      return waves(theta).map((wave, i) => 1 / Math.fround(Math.fround(factors[i]!) * wave));
    }
  }
}

function llama3(inverse: Float32Array, scaling: RopeScaling & { readonly kind: "llama3" }): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return inverse.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength > originalMaxPositions / lowFreqFactor) return f / factor;
    if (wavelength < originalMaxPositions / highFreqFactor) return f;
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}

/** Between the dimensions whose waves turn betaFast and betaSlow times in the original length, a ramp from kept to divided. */
function yarn(waves: Float32Array, theta: number, size: number, scaling: RopeScaling & { readonly kind: "yarn" }): Float32Array {
  const { factor, betaFast, betaSlow, truncate, originalMaxPositions } = scaling;
  const dimension = (turns: number): number => (size * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [fast, slow] = [dimension(betaFast), dimension(betaSlow)];
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const bound = Math.min(truncate ? Math.ceil(slow) : slow, size - 1);
  const high = bound === low ? bound + 0.001 : bound;
  return waves.map((wave, i) => {
    const kept = Math.fround(1 - Math.min(Math.max(Math.fround((i - low) / (high - low)), 0), 1));
    return Math.fround(1 / Math.fround(factor * wave)) * Math.fround(1 - kept) + Math.fround(1 / wave) * kept;
  });
}
