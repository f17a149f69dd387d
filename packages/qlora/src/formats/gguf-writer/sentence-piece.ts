// A tokenizer.json that was made from a SentencePiece model, as llama.cpp's `llama` tokenizer. SentencePiece joins the two neighbours whose joint piece has
// the highest score; tokenizer.json keeps ranks of merges instead, so a piece's score is the negative of the first rank that makes it, and the order of
// joining is the same. Bytes to fall back on, the unknown token and added tokens are told by their kind.
import * as z from "zod/mini";
import { UsageError } from "../../error.ts";
import { TOKEN_TYPE } from "../gguf/gguf-types.ts";
import { quoted } from "../quoted.ts";
import { type BpeJson, mergePairs } from "./bpe-json.ts";
import { bool, float32s, type GgufValue, int32s, string, strings } from "./gguf-value.ts";
import { tokenList } from "./token-list.ts";

/** Of pieces that nothing makes: below every rank. */
const NEVER = -1_000_000;
const BYTE = /^<0x[0-9A-F]{2}>$/;

/** @throws UsageError unless spaces become "▁", with one put before the text or none, and nothing else is changed */
export function sentencePieceMetadata(file: string, json: BpeJson, vocabularySize: number): [string, GgufValue][] {
  const { model, added_tokens: added } = json;
  const list = tokenList(file, { vocabulary: model.vocab, added }, vocabularySize);
  const { texts } = list;
  const kinds = list.kinds.map((kind, id) => {
    if (texts[id] === model.unk_token) return TOKEN_TYPE.UNKNOWN;
    return kind === TOKEN_TYPE.NORMAL && BYTE.test(texts[id]!) ? TOKEN_TYPE.BYTE : kind;
  });
  return [
    ["tokenizer.ggml.model", string("llama")],
    ["tokenizer.ggml.pre", string("default")],
    ["tokenizer.ggml.tokens", strings(texts)],
    ["tokenizer.ggml.scores", float32s(scoresOf(json, texts))],
    ["tokenizer.ggml.token_type", int32s(kinds)],
    ["tokenizer.ggml.add_space_prefix", bool(putsSpaceBefore(file, json))],
  ];
}

function scoresOf(json: BpeJson, texts: readonly string[]): number[] {
  const ranks = new Map<string, number>();
  for (const [rank, [left, right]] of mergePairs(json).entries()) {
    const joined = left + right;
    if (!ranks.has(joined)) ranks.set(joined, rank);
  }
  return texts.map((text) => (ranks.has(text) ? -ranks.get(text)! : NEVER));
}

const Step = z.looseObject({
  type: z.string(),
  prepend: z.optional(z.string()),
  content: z.optional(z.string()),
  pattern: z.optional(z.looseObject({ String: z.optional(z.string()) })),
  prepend_scheme: z.optional(z.string()),
  add_prefix_space: z.optional(z.boolean()),
});
type Step = z.infer<typeof Step>;
const Sequence = z.looseObject({ type: z.literal("Sequence"), normalizers: z.array(Step) });

/** Whether the first word gets a space before it. The three ways in which files say so. */
function putsSpaceBefore(file: string, { normalizer, pre_tokenizer }: BpeJson): boolean {
  const sequence = Sequence.safeParse(normalizer);
  const steps = [...(sequence.success ? sequence.data.normalizers : [normalizer ?? []].flat().map((x) => Step.parse(x)))];
  const before = Step.safeParse(pre_tokenizer);
  const metaspace = before.success && before.data.type === "Metaspace" ? before.data : undefined;
  const replaces = steps.some(isReplace) || metaspace !== undefined;
  const odd = steps.find((step) => !isReplace(step) && !(step.type === "Prepend" && step.prepend === "▁"));
  if (odd || !replaces)
    throw new UsageError(file, `the normalizer ${quoted(normalizer ?? null)} is none that llama.cpp has. Write safetensors.`, {
      normalizer,
    });
  const scheme = metaspace?.prepend_scheme ?? (metaspace?.add_prefix_space === false ? "never" : "always");
  return steps.some(({ type }) => type === "Prepend") || (metaspace !== undefined && scheme !== "never");
}

const isReplace = ({ type, content, pattern }: Step): boolean => type === "Replace" && pattern?.String === " " && content === "▁";
