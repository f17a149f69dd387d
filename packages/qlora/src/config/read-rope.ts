// Rotary positions as a config gives them: the base, and how long contexts were stretched. Order of precedence as in transformers 5's
// `convert_rope_params_to_dict`: `rope_scaling`, else `rope_parameters`; a base in there before one beside it.
import { FormatError } from "@qlora-js/core";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson } from "../formats/read-json.ts";
import { rotary } from "./common-schema.ts";
import type { RopeConfig, RopeScaling } from "./decoder-config.ts";

const DEFAULT_THETA = 10_000;
const KINDS = "default, linear and llama3";

const positive = z.number().gt(0);
const Theta = z.object({ rope_theta: positive.nullish(), partial_rotary_factor: positive.max(1).nullish() });
const Linear = z.object({ factor: positive });
const Llama3 = z.object({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: z.int().min(1).nullish(),
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
  return Object.freeze({ theta: rope_theta ?? raw.rope_theta ?? theta, size, scaling: Object.freeze(readScaling(file, raw, given)) });
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

function readScaling(file: string, raw: RotaryJson, given: Readonly<Record<string, unknown>>): RopeScaling {
  const kind = given.rope_type ?? given.type ?? "default";
  const where = `${file}: rope parameters`;
  if (kind === "default") return { kind: "none" };
  if (kind === "linear") return { kind: "linear", factor: checkJson(where, Linear, given).factor };
  if (kind !== "llama3")
    throw new UsageError(file, `rope type ${quoted(kind)} is not supported. Supported: ${KINDS}.`, { key: "rope_type", value: kind });
  const p = checkJson(where, Llama3, given);
  if (p.high_freq_factor <= p.low_freq_factor) {
    throw new FormatError(where, `high_freq_factor ${p.high_freq_factor} must be above low_freq_factor ${p.low_freq_factor}.`);
  }
  return {
    kind: "llama3",
    factor: p.factor,
    lowFreqFactor: p.low_freq_factor,
    highFreqFactor: p.high_freq_factor,
    originalMaxPositions: raw.original_max_position_embeddings ?? p.original_max_position_embeddings ?? raw.max_position_embeddings,
  };
}
