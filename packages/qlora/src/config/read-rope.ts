// Rotary positions as a config gives them: the base, and how long contexts were stretched. Order of precedence as in transformers 5's
// `convert_rope_params_to_dict`: `rope_scaling`, else `rope_parameters`; a base in there before one beside it.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson } from "../formats/read-json.ts";
import { rotary } from "./common-schema.ts";
import type { RopeConfig, RopeScaling } from "./decoder-config.ts";

const DEFAULT_THETA = 10_000;
const KINDS = "default, linear, dynamic, llama3, yarn and longrope";

const positive = z.number().check(z.gt(0));
const Theta = z.object({ rope_theta: z.nullish(positive), partial_rotary_factor: z.nullish(positive.check(z.maximum(1))) });
const Linear = z.object({ factor: positive });
const length = z.nullish(z.int().check(z.minimum(1)));
const Llama3 = z.object({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: length,
});
const Yarn = z.object({
  factor: z.nullish(positive),
  attention_factor: z.nullish(positive),
  mscale: z.nullish(z.number()),
  mscale_all_dim: z.nullish(z.number()),
  beta_fast: z.nullish(positive),
  beta_slow: z.nullish(positive),
  truncate: z.nullish(z.boolean()),
  original_max_position_embeddings: length,
});
const factors = z.array(positive).check(z.minLength(1), z.maxLength(1 << 15));
const LongRope = z.object({
  factor: z.nullish(positive),
  attention_factor: z.nullish(positive),
  short_factor: factors,
  long_factor: factors,
  original_max_position_embeddings: length,
});

const RotarySchema = z.object(rotary);
export type RotaryJson = z.infer<typeof RotarySchema>;

export interface RopeOptions {
  readonly headDim: number;
  /** Of a kind of layer: the entry of `rope_parameters` with this name. */
  readonly layers?: string;
  /** The base where none is given; 10,000 where left out. */
  readonly theta?: number;
}

/**
 * @throws UsageError for a kind of scaling that is not done here
 * @throws FormatError if a value is missing or cannot be
 */
export function readRope(file: string, raw: RotaryJson, { headDim, layers, theta = DEFAULT_THETA }: RopeOptions): RopeConfig {
  const given = settings(file, raw, layers);
  const { rope_theta, partial_rotary_factor } = checkJson(`${file}: rope parameters`, Theta, given);
  const size = Math.floor(headDim * (partial_rotary_factor ?? raw.partial_rotary_factor ?? 1));
  if (size % 2 !== 0 || size === 0 || size > headDim)
    throw new FormatError(file, `rotary positions would turn ${size} of ${headDim} dimensions of a head; they turn pairs.`);
  return Object.freeze({ theta: rope_theta ?? raw.rope_theta ?? theta, size, scaling: new ScalingReader(file, raw, given, size).read() });
}

function settings(file: string, raw: RotaryJson, layers: string | undefined): Readonly<Record<string, unknown>> {
  const given = raw.rope_scaling && Object.keys(raw.rope_scaling).length > 0 ? raw.rope_scaling : (raw.rope_parameters ?? {});
  const isNested = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const own = layers === undefined ? undefined : given[layers];
  if (isNested(own)) return own;
  const perLayer = Object.entries(given).find(([, value]) => isNested(value));
  if (perLayer)
    throw new UsageError(file, `rotary parameters for each kind of layer (${quoted(perLayer[0])}) are not supported.`, {
      key: perLayer[0],
    });
  return given;
}

class ScalingReader {
  readonly where: string;
  constructor(
    readonly file: string,
    readonly raw: RotaryJson,
    readonly given: Readonly<Record<string, unknown>>,
    /** Dimensions that are turned. */
    readonly size: number,
  ) {
    this.where = `${file}: rope parameters`;
  }

  read(): RopeScaling {
    const kind = this.given.rope_type ?? this.given.type ?? "default";
    switch (kind) {
      case "default":
        return { kind: "none" };
      case "linear":
        return { kind: "linear", factor: checkJson(this.where, Linear, this.given).factor };
      case "dynamic":
        return {
          kind: "dynamic",
          factor: checkJson(this.where, Linear, this.given).factor,
          maxPositions: this.raw.max_position_embeddings,
        };
      case "llama3":
        return this.#llama3();
      case "yarn":
        return this.#yarn();
      case "longrope":
      case "su": // Phi-3's first word for it
        return this.#longRope();
    }
    throw new UsageError(this.file, `rope type ${quoted(kind)} is not supported. Supported: ${KINDS}.`, { key: "rope_type", value: kind });
  }

  /** The length that the model was first trained for: beside the parameters, else among them, else the model's. */
  #original = (among: number | null | undefined): number =>
    this.raw.original_max_position_embeddings ?? among ?? this.raw.max_position_embeddings;

  #llama3(): RopeScaling {
    const p = checkJson(this.where, Llama3, this.given);
    if (p.high_freq_factor <= p.low_freq_factor) {
      throw new FormatError(this.where, `high_freq_factor ${p.high_freq_factor} must be above low_freq_factor ${p.low_freq_factor}.`);
    }
    return {
      kind: "llama3",
      factor: p.factor,
      lowFreqFactor: p.low_freq_factor,
      highFreqFactor: p.high_freq_factor,
      originalMaxPositions: this.#original(p.original_max_position_embeddings),
    };
  }

  #yarn(): RopeScaling {
    const p = checkJson(this.where, Yarn, this.given);
    const originalMaxPositions = this.#original(p.original_max_position_embeddings);
    const factor = p.factor ?? this.raw.max_position_embeddings / originalMaxPositions;
    const growth = (by = 1): number => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
    const suggested = p.mscale && p.mscale_all_dim ? growth(p.mscale) / growth(p.mscale_all_dim) : growth();
    return {
      kind: "yarn",
      factor,
      betaFast: p.beta_fast ?? 32,
      betaSlow: p.beta_slow ?? 1,
      truncate: p.truncate ?? true,
      attentionFactor: p.attention_factor ?? suggested,
      originalMaxPositions,
    };
  }

  #longRope(): RopeScaling {
    const p = checkJson(this.where, LongRope, this.given);
    for (const [key, { length }] of [["short_factor", p.short_factor] as const, ["long_factor", p.long_factor] as const])
      if (length !== this.size / 2)
        throw new FormatError(this.where, `${key} has ${length} numbers, not one a frequency, ${this.size / 2}.`);
    const originalMaxPositions = this.#original(p.original_max_position_embeddings);
    const factor = p.factor ?? this.raw.max_position_embeddings / originalMaxPositions;
    const suggested = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
    return {
      kind: "longrope",
      shortFactors: p.short_factor,
      longFactors: p.long_factor,
      attentionFactor: p.attention_factor ?? suggested,
      originalMaxPositions,
    };
  }
}
