// A config.json read by the family it is of, with what holds for all of them.
import { FormatError } from "@qlora-js/core";
import type { Family } from "../families/family.ts";
import { checkJson } from "../formats/read-json.ts";
import { GenerationSchema } from "./common-schema.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import type { T5Config } from "./t5-config.ts";

export const CONFIG_FILE = "config.json";
export const GENERATION_FILE = "generation_config.json";

/** What a config is read with. */
export interface ParseOptions {
  /** Name for errors. */
  readonly file?: string;
  /** Content of generation_config.json. */
  readonly generation?: unknown;
}

/**
 * The config of a model of this family. Frozen.
 * @throws UsageError for settings that are not done here, FormatError if a value is missing or cannot be
 */
export function configOfFamily(
  family: Family,
  json: unknown,
  { file = CONFIG_FILE, generation = {} }: ParseOptions = {},
): DecoderConfig | T5Config {
  const config = family.read(file, json);
  const { eos_token_id } = checkJson(`${file.slice(0, file.lastIndexOf("/") + 1)}${GENERATION_FILE}`, GenerationSchema, generation);
  const whole = { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...[eos_token_id ?? []].flat()])] };
  checkSizes(file, whole);
  return frozen(whole);
}

function checkSizes(file: string, c: DecoderConfig | T5Config): void {
  const fail = (what: string): never => {
    throw new FormatError(file, what);
  };
  if (!Number.isInteger(c.headDim)) fail(`hidden_size ${c.hiddenSize} cannot be divided among ${c.heads} heads.`);
  if (c.kind === "decoder" && c.heads % c.kvHeads !== 0)
    fail(`num_attention_heads ${c.heads} is not a multiple of num_key_value_heads ${c.kvHeads}.`);
  for (const id of [...c.eosTokenIds, ...(c.bosTokenId === undefined ? [] : [c.bosTokenId])]) {
    if (id >= c.vocabSize) fail(`token ${id} lies outside the vocabulary of ${c.vocabSize}.`);
  }
}

/** The value and all in it, frozen. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) frozen(part);
  return Object.freeze(value);
}
