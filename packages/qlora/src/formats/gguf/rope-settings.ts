// How rotary positions are stretched, from a GGUF file's metadata and its tables of factors, in the words of a Hugging Face config.
// Source: llama.cpp's converter (`rope.scaling.*`; tensors rope_freqs, rope_factors_long, rope_factors_short).
import { FormatError, UnsupportedError } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import type { Settings } from "./settings.ts";

/** Tables of a file, one number a frequency. */
export interface RopeTables {
  readonly freqs?: Float32Array;
  readonly long?: Float32Array;
  readonly short?: Float32Array;
}

/** The tensors they are in. */
export const ROPE_TENSORS = { freqs: "rope_freqs.weight", long: "rope_factors_long.weight", short: "rope_factors_short.weight" } as const;

export type RopeScalingJson = Readonly<Record<string, unknown>> | null;

/**
 * @param theta the base of the frequencies
 * @param size how many dimensions of a head are turned
 * @returns `rope_scaling` of a config.json
 */
export function ropeScaling(settings: Settings, tables: RopeTables, theta: number, size: number): RopeScalingJson {
  const kind = settings.text("rope.scaling.type") ?? "none";
  const factor = settings.optionalNumber("rope.scaling.factor") ?? settings.optionalNumber("rope.scale_linear");
  const original = settings.optionalSize("rope.scaling.original_context_length");
  if (tables.long && tables.short) return longRope(tables.long, tables.short, original);
  if (tables.freqs) return fromFactors(settings, tables.freqs, theta, size);
  switch (kind) {
    case "none":
      return factor === undefined || factor === 1 || factor === 0 ? null : linear(factor);
    case "linear":
      return linear(factor ?? 1);
    case "yarn":
      return yarn(settings, factor ?? 1, original);
  }
  throw new UnsupportedError(`${settings.gguf.file}: rope scaling ${quoted(kind)} is not supported in GGUF files.`);
}

const linear = (factor: number): RopeScalingJson => ({ rope_type: "linear", type: "linear", factor });

function longRope(long: Float32Array, short: Float32Array, original: number | undefined): RopeScalingJson {
  const rest = original === undefined ? {} : { original_max_position_embeddings: original };
  return { rope_type: "longrope", type: "longrope", long_factor: [...long], short_factor: [...short], ...rest };
}

function yarn(settings: Settings, factor: number, original: number | undefined): RopeScalingJson {
  const attention = settings.optionalNumber("rope.scaling.attn_factor");
  if (attention !== undefined && attention !== 1)
    throw new UnsupportedError(`${settings.gguf.file}: rope.scaling.attn_factor ${attention} with yarn is not supported.`);
  const [fast, slow] = [settings.optionalNumber("rope.scaling.yarn_beta_fast"), settings.optionalNumber("rope.scaling.yarn_beta_slow")];
  return {
    rope_type: "yarn",
    type: "yarn",
    factor,
    ...(original === undefined ? {} : { original_max_position_embeddings: original }),
    ...(fast === undefined ? {} : { beta_fast: fast }),
    ...(slow === undefined ? {} : { beta_slow: slow }),
  };
}

/** What Llama 3.1 to 3.3 were stretched by; the factor itself, 8 or 32, is the largest in the table. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;

/** Llama 3's own table is recognised; any other is passed on as it is: longrope with one table for all lengths and no scaling of scores says the same. */
function fromFactors(settings: Settings, factors: Float32Array, theta: number, size: number): RopeScalingJson {
  if (factors.length !== size / 2)
    throw new FormatError(settings.gguf.file, `${ROPE_TENSORS.freqs} has ${factors.length} numbers, not one a frequency, ${size / 2}.`);
  if (factors.every((f) => f === 1)) return null;
  const factor = Math.max(...factors);
  const expected = llama3Factors(factor, theta, size);
  if (factors.every((f, i) => Math.abs(f - expected[i]!) <= 1e-4 * f)) return { rope_type: "llama3", factor, ...LLAMA3 };
  return { rope_type: "longrope", type: "longrope", long_factor: [...factors], short_factor: [...factors], attention_factor: 1 };
}

/** 1 for short waves, the factor for long ones, 1 / ((1 − s) / factor + s) between. Source: transformers modeling_rope_utils.py, `_compute_llama3_parameters`. */
function llama3Factors(factor: number, theta: number, size: number): number[] {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = LLAMA3;
  return Array.from({ length: size / 2 }, (_, i) => {
    const wave = 2 * Math.PI * theta ** ((2 * i) / size);
    if (wave < length / high) return 1;
    if (wave > length / low) return factor;
    const smooth = (length / wave - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}
