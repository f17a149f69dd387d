// How byte-level tokenizers cut a text before they merge: by the name that llama.cpp's converter gave the rule (`tokenizer.ggml.pre`), in the words of a
// tokenizer.json. Source: llama.cpp src/llama-vocab.cpp (names and expressions), the models' own tokenizer.json (NFC, digits).
import { UnsupportedError } from "@qlora-js/core";
import { GPT4O, ONE_DIGIT, TEKKEN, THREE_DIGITS } from "../../../text/pipeline/known-patterns.ts";
import { quoted } from "../../quoted.ts";

/** A rule as tokenizer.json has it. */
export interface PreTokenizer {
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** Whether a piece that is a token is not merged again from its bytes. */
  readonly ignoreMerges: boolean;
  /** Whether a text begins with the begin-of-sequence token where the file does not say. */
  readonly addBos: boolean;
}

const NFC = { type: "NFC" };
const byteLevel = (useRegex: boolean, addPrefixSpace: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: addPrefixSpace,
  trim_offsets: true,
  use_regex: useRegex,
});
const split = (expression: string) => ({ type: "Split", pattern: { Regex: expression }, behavior: "Isolated", invert: false });
const sequence = (...pretokenizers: object[]) => ({ type: "Sequence", pretokenizers });

type Rule = (addPrefixSpace: boolean) => PreTokenizer;

const own =
  (preTokenizer: (prefix: boolean) => object, more: Partial<PreTokenizer> = {}): Rule =>
  (prefix) => ({ normalizer: null, preTokenizer: preTokenizer(prefix), ignoreMerges: false, addBos: false, ...more });

const gpt2 = own((prefix) => byteLevel(true, prefix));
const neox = own((prefix) => byteLevel(true, prefix), { normalizer: NFC });
const digitsThenGpt2 = own((prefix) => sequence({ type: "Digits", individual_digits: true }, byteLevel(true, prefix)));
const byExpression = (expression: string, more?: Partial<PreTokenizer>): Rule =>
  own((prefix) => sequence(split(expression), byteLevel(false, prefix)), more);
const llama3 = byExpression(THREE_DIGITS, { ignoreMerges: true, addBos: true });
const qwen2 = byExpression(ONE_DIGIT, { normalizer: NFC });

const RULES: Readonly<Record<string, Rule>> = {
  "gpt-2": gpt2,
  "phi-2": gpt2,
  olmo: neox,
  smollm: digitsThenGpt2,
  starcoder: digitsThenGpt2,
  refact: digitsThenGpt2,
  "command-r": digitsThenGpt2,
  qwen2,
  "deepseek-r1-qwen": qwen2,
  megrez: qwen2,
  "llama-bpe": llama3,
  "llama-v3": llama3,
  llama3,
  dbrx: byExpression(THREE_DIGITS),
  "smaug-bpe": byExpression(THREE_DIGITS),
  tekken: byExpression(TEKKEN, { ignoreMerges: true, addBos: true }),
  "gpt-4o": byExpression(GPT4O),
};

/** What converters of early 2024 left out, where the architecture leaves no doubt. */
const BY_ARCHITECTURE: Readonly<Record<string, string>> = { gpt2: "gpt-2", gptneox: "olmo", qwen2: "qwen2", qwen3: "qwen2" };

/**
 * @param name `tokenizer.ggml.pre`
 * @throws UnsupportedError for a rule that is not known here
 */
export function preTokenizer(file: string, name: string | undefined, architecture: string, addPrefixSpace: boolean): PreTokenizer {
  const given = name === undefined || name === "default" ? (BY_ARCHITECTURE[architecture] ?? name) : name;
  const rule = given !== undefined && Object.hasOwn(RULES, given) ? RULES[given] : undefined;
  if (rule) return rule(addPrefixSpace);
  const what =
    given === undefined ? 'has no "tokenizer.ggml.pre"; it was made by an old converter' : `cuts texts by the rule ${quoted(given)}`;
  throw new UnsupportedError(
    `${file}: ${what}, so its tokenizer cannot be made. Known rules: ${Object.keys(RULES).join(", ")}. Give the model's safetensors folder.`,
  );
}
