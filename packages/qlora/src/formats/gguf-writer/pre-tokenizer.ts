// What llama.cpp calls the way a byte-level tokenizer cuts text into words before its merges: the value of `tokenizer.ggml.pre`. Its converter finds the
// name by hashing the tokens of one text, so it knows only the tokenizers in its list; here the way of cutting itself is looked at, so that a tokenizer
// nobody has seen gets the name of those that cut alike. Sources: llama.cpp v0.5.0, src/llama-vocab.cpp (the expressions of each name),
// conversion/base.py; tokenizer.json of the models named.
import * as z from "zod/mini";
import { UsageError } from "../../error.ts";
import { quoted } from "../quoted.ts";

const Step = z.looseObject({
  type: z.string(),
  use_regex: z.optional(z.boolean()),
  individual_digits: z.optional(z.boolean()),
  behavior: z.optional(z.string()),
  invert: z.optional(z.boolean()),
  pattern: z.optional(z.looseObject({ Regex: z.optional(z.string()), String: z.optional(z.string()) })),
});
const Sequence = z.looseObject({ type: z.literal("Sequence"), pretokenizers: z.array(Step) });
type Step = z.infer<typeof Step>;

const WORDS = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const REST = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** GPT-4's (cl100k): digits by threes. Llama 3, SmolLM3, OLMo 2. */
const CL100K = `${CONTRACTIONS}|${WORDS}|${String.raw`\p{N}{1,3}`}|${REST}`;
/** The same with single digits: Qwen 2 and 3. */
const QWEN2 = `${CONTRACTIONS}|${WORDS}|${String.raw`\p{N}`}|${REST}`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const BEFORE = String.raw`[^\r\n\p{L}\p{N}]?`;
const AFTER = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
/** GPT-4o's (o200k): Phi-4-mini. */
const O200K = `${BEFORE}${UPPER}*${LOWER}+${CONTRACTIONS}?|${BEFORE}${UPPER}+${LOWER}*${CONTRACTIONS}?|${String.raw`\p{N}{1,3}`}|${AFTER}`;
/** Mistral's Tekken. */
const TEKKEN = `${BEFORE}${UPPER}*${LOWER}+|${BEFORE}${UPPER}+${LOWER}*|${String.raw`\p{N}`}|${AFTER}`;

/** Names by expression: where words are taken whole before merges are tried (`ignore_merges`), and where not. */
const BY_REGEX: ReadonlyMap<string, { readonly whole?: string; readonly merged?: string }> = new Map([
  [CL100K, { whole: "llama-bpe", merged: "dbrx" }],
  [QWEN2, { merged: "qwen2" }],
  [O200K, { merged: "gpt-4o" }],
  [TEKKEN, { whole: "tekken" }],
]);

/**
 * @param file name for errors
 * @param preTokenizer `pre_tokenizer` of tokenizer.json
 * @param ignoreMerges `model.ignore_merges` of it
 * @throws UsageError if llama.cpp has no name for it
 */
export function preTokenizerName(file: string, preTokenizer: unknown, ignoreMerges: boolean): string {
  const steps = stepsOf(preTokenizer);
  const name = steps && nameOf(steps, ignoreMerges);
  if (name !== undefined) return name;
  const what = `pre_tokenizer ${quoted(preTokenizer)} is none that llama.cpp has, so the model cannot be written as GGUF. Write safetensors.`;
  throw new UsageError(file, what, { pre_tokenizer: preTokenizer });
}

function stepsOf(preTokenizer: unknown): Step[] | undefined {
  const sequence = Sequence.safeParse(preTokenizer);
  if (sequence.success) return sequence.data.pretokenizers;
  const single = Step.safeParse(preTokenizer);
  return single.success ? [single.data] : undefined;
}

/** The last step makes bytes of the words, and may cut by GPT-2's expression; one before it may have cut already. */
function nameOf(steps: readonly Step[], ignoreMerges: boolean): string | undefined {
  const last = steps.at(-1);
  if (last?.type !== "ByteLevel" || steps.length > 2) return undefined;
  const cutsAsGpt2 = last.use_regex ?? true;
  const first = steps.length === 2 ? steps[0] : undefined;
  if (!first) return cutsAsGpt2 && !ignoreMerges ? "gpt-2" : undefined;
  if (first.type === "Digits") return first.individual_digits && cutsAsGpt2 && !ignoreMerges ? "smollm" : undefined;
  if (first.type !== "Split" || !keepsMatches(first) || cutsAsGpt2) return undefined;
  const names = BY_REGEX.get(first.pattern?.Regex ?? "");
  return ignoreMerges ? names?.whole : names?.merged;
}

/** Matches become words of their own: the two ways that this is written, where every character is in some match. */
const keepsMatches = ({ behavior, invert = false }: Step): boolean => (invert ? behavior === "Removed" : behavior === "Isolated");
