// The vocabulary in a GGUF file's metadata: texts, kinds and scores of tokens, merges, and the tokens with a job. Checked here; what it becomes is decided elsewhere.
import { FormatError } from "@qlora-js/core";
import { quoted } from "../../quoted.ts";
import { TOKEN_TYPE } from "../gguf-types.ts";
import type { MetadataValue } from "../metadata.ts";
import type { Settings } from "../settings.ts";

export interface GgufVocabulary {
  /** By id. */
  readonly tokens: readonly string[];
  /** One of `TOKEN_TYPE` for each. */
  readonly types: ArrayLike<number>;
  /** Undefined where the file has none. */
  readonly scores: ArrayLike<number> | undefined;
  /** `left right`, best first; undefined where the file has none. */
  readonly merges: readonly string[] | undefined;
}

/**
 * @throws FormatError if there is none, or its lists do not fit each other
 */
export function readVocabulary({ gguf }: Settings): GgufVocabulary {
  const fail = (what: string): never => {
    throw new FormatError(gguf.file, what);
  };
  const list = (name: string): MetadataValue | undefined => gguf.metadata.get(`tokenizer.ggml.${name}`);
  const tokens = texts(list("tokens")) ?? fail('lacks the metadata "tokenizer.ggml.tokens".');
  checkUnique(tokens, fail);
  const types = numbers(list("token_type")) ?? new Int32Array(tokens.length).fill(TOKEN_TYPE.NORMAL);
  const scores = numbers(list("scores"));
  for (const [name, values] of [["token_type", types] as const, ["scores", scores] as const])
    if (values && values.length !== tokens.length) fail(`has ${tokens.length} tokens, but ${values.length} in "tokenizer.ggml.${name}".`);
  const merges = texts(list("merges"));
  const odd = merges?.find((merge) => !isPair(merge));
  if (odd !== undefined) fail(`merge ${quoted(odd)} is not two texts with a space between.`);
  return { tokens, types, scores, merges };
}

function isPair(merge: string): boolean {
  const space = merge.indexOf(" ");
  return space > 0 && space < merge.length - 1 && merge.indexOf(" ", space + 1) < 0;
}

/** Ids by token, as tokenizer.json has them. No prototype: a token may have any name. */
export function idsByToken(vocabulary: GgufVocabulary): Readonly<Record<string, number>> {
  const { tokens } = vocabulary;
  const ids = Object.create(null) as Record<string, number>;
  for (let id = 0; id < tokens.length; id++) if (!isPlaceholder(vocabulary, id)) ids[tokens[id]!] = id;
  return ids;
}

/** Whether an id has no token, but a row in the embedding table; converters write such. */
export const isPlaceholder = ({ tokens, types }: GgufVocabulary, id: number): boolean =>
  types[id] === TOKEN_TYPE.UNUSED && tokens[id] === `[PAD${id}]`;

function texts(value: MetadataValue | undefined): readonly string[] | undefined {
  return Array.isArray(value) && value.every((text) => typeof text === "string") ? value : undefined;
}

function numbers(value: MetadataValue | undefined): Int32Array | Uint32Array | Float32Array | undefined {
  return value instanceof Int32Array || value instanceof Uint32Array || value instanceof Float32Array ? value : undefined;
}

function checkUnique(tokens: readonly string[], fail: (what: string) => never): void {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  if (ids.size === tokens.length) return;
  const twice = tokens.findIndex((token, id) => ids.get(token) !== id);
  fail(`token ${quoted(tokens[twice])} is there twice, as ${twice} and ${ids.get(tokens[twice]!)}.`);
}
