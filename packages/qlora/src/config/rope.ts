// Rotary positions as a config gives them: the base, and how long contexts were stretched. Order of precedence as in transformers 5's
// `convert_rope_params_to_dict`: `rope_scaling`, else `rope_parameters`; a base in there before one beside it.
import { FormatError } from "@qlora-js/core";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson } from "../formats/read-json.ts";
import type { LlamaJson } from "./llama-schema.ts";

/** How the rotation frequencies are changed for long contexts; fixed for a model, whatever the length of a text. */
export type RopeScaling =
  | { readonly kind: "none" }
  /** All frequencies divided by the factor. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3.1: long waves divided by the factor, short ones kept, those between blended. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

const DEFAULT_THETA = 10_000;
const KINDS = "default, linear and llama3";

const positive = z.number().gt(0);
const Theta = z.object({ rope_theta: positive.nullish(), partial_rotary_factor: positive.nullish() });
const Linear = z.object({ factor: positive });
const Llama3 = z.object({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: z.int().min(1).nullish(),
});

/**
 * @throws UsageError for a kind of scaling that is not done here
 * @throws FormatError if a value is missing or cannot be
 */
export function readRope(file: string, raw: LlamaJson): { readonly ropeTheta: number; readonly ropeScaling: RopeScaling } {
  const given = raw.rope_scaling && Object.keys(raw.rope_scaling).length > 0 ? raw.rope_scaling : (raw.rope_parameters ?? {});
  const perLayer = Object.entries(given).find(([, value]) => typeof value === "object" && value !== null && !Array.isArray(value));
  if (perLayer)
    throw new UsageError(file, `rotary parameters for each kind of layer (${quoted(perLayer[0])}) are not supported.`, {
      key: perLayer[0],
    });
  const { rope_theta, partial_rotary_factor } = checkJson(`${file}: rope parameters`, Theta, given);
  const part = partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (part !== 1)
    throw new UsageError(file, `partial_rotary_factor ${part} is not supported. Llamas rotate whole heads.`, {
      key: "partial_rotary_factor",
      value: part,
    });
  return { ropeTheta: rope_theta ?? raw.rope_theta ?? DEFAULT_THETA, ropeScaling: Object.freeze(readScaling(file, raw, given)) };
}

function readScaling(file: string, raw: LlamaJson, given: Readonly<Record<string, unknown>>): RopeScaling {
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
