// Cosines and sines of rotary positions, computed in f32 where transformers does (modeling_rope_utils.py), so that angles agree in the last bit that matters.
import type { RopeConfig } from "../config/decoder-config.ts";

export interface RopeTables {
  /** f32 [count, size / 2] */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Angles of `count` positions from `first` on: position · frequency, one frequency a pair of the dimensions that are turned. */
export function ropeTables(rope: RopeConfig, first: number, count: number): RopeTables {
  const frequencies = ropeFrequencies(rope);
  const half = frequencies.length;
  const cos = new Float32Array(count * half);
  const sin = new Float32Array(count * half);
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround((first + p) * frequencies[i]!);
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** θ^(−2i/d) for i < d/2, rescaled as the config says. */
function ropeFrequencies({ size, theta, scaling }: RopeConfig): Float32Array {
  const base = Float32Array.from({ length: size / 2 }, (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / size)));
  if (scaling.kind === "none") return base;
  if (scaling.kind === "linear") return base.map((f) => f / scaling.factor);
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return base.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength > originalMaxPositions / lowFreqFactor) return f / factor;
    if (wavelength < originalMaxPositions / highFreqFactor) return f;
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * f) / factor + smooth * f;
  });
}
