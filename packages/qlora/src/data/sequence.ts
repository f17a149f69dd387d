// A row as ids and labels, whole: what each kind of row becomes, and where its loss is. Cutting to length and checking ids is tokenize.ts.
// Rules: the beginning-of-sequence token once, as tokenizer or template put it; text and plain completions end with one trained end-of-sequence token;
// in conversations the loss is on what the assistant says, through its end-of-turn token.
import { UsageError } from "../error.ts";
import { assistantSpans } from "../text/assistant-spans.ts";
import { beginOnce } from "../text/begin-once.ts";
import type { ChatMessage, ChatTemplate } from "../text/chat-template.ts";
import { encodeSpans } from "../text/encode-spans.ts";
import { endOnce } from "../text/end-once.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { alpacaPrompt, instructionTurn } from "./alpaca.ts";
import { ROW_FORMS } from "./row-kinds.ts";
import { NOT_SUPERVISED, type PlacedRow } from "./rows.ts";
import { sourceAndTarget } from "./source-and-target.ts";

/** Ids and their labels, side by side and unshifted: labels[i] is what is predicted at position i, from the positions before it. */
export interface Sequence {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  /** What an encoder reads; then ids begin with the token that decoders start from. */
  readonly source?: readonly number[];
}

/** What a folder has for text: both may be absent, for rows of ids. */
export interface TextTools {
  readonly tokenizer?: Tokenizer | undefined;
  readonly template?: ChatTemplate | undefined;
  /** For a model with an encoder: what its decoder starts from. */
  readonly decoderStartId?: number | undefined;
}

/**
 * The ids and labels of a row.
 * @throws UsageError naming the row, if the folder lacks what the row needs, the template refuses it, or no message is the assistant's.
 */
export function sequenceOf(placed: PlacedRow, tools: TextTools): Sequence {
  const { row, file, line } = placed;
  const { tokenizer, template, decoderStartId } = tools;
  if (decoderStartId !== undefined) return sourceAndTarget(placed, tokenizer, decoderStartId);
  const where = `${file} line ${line}`;
  if (row.kind === "tokens") return sideBySide(row, where);
  if (!tokenizer) {
    throw new UsageError(where, "is text, and the model folder has no tokenizer.json. Add it, or give rows of input_ids + labels.", {
      file,
      line,
    });
  }
  if (row.kind === "text") return textSequence(row.text, tokenizer);
  const turns = row.kind === "messages" ? row.messages : asTurns(row);
  if (template) return chatSequence(turns, tokenizer, template, where);
  if (row.kind === "messages") {
    const what =
      "is a conversation, and the model folder has no chat template. Use an instruct model, or give rows of prompt + completion.";
    throw new UsageError(where, what, { file, line });
  }
  return row.kind === "completion"
    ? plainSequence(row.prompt, row.completion, tokenizer)
    : plainSequence(alpacaPrompt(row.instruction, row.input), row.output, tokenizer);
}

function sideBySide({ inputIds, labels }: PlacedRow["row"] & { kind: "tokens" }, where: string): Sequence {
  if (inputIds.length === labels.length) return { ids: inputIds, labels };
  const what = `labels has ${labels.length} entries and input_ids ${inputIds.length}; they stand side by side`;
  throw new UsageError(where, `input_ids + labels: ${what}. Write rows as ${ROW_FORMS.tokens}.`, { path: "input_ids + labels" });
}

type Pair = Extract<PlacedRow["row"], { kind: "completion" | "instruction" }>;

const asTurns = (row: Pair): ChatMessage[] => [
  { role: "user", content: row.kind === "completion" ? row.prompt : instructionTurn(row.instruction, row.input) },
  { role: "assistant", content: row.kind === "completion" ? row.completion : row.output },
];

function textSequence(text: string, tokenizer: Tokenizer): Sequence {
  const ids = endOnce(beginOnce([...tokenizer.encode(text, { addSpecialTokens: false })], tokenizer), tokenizer);
  return { ids, labels: ids };
}

/** Prompt and answer one after the other, tokenized apart as they are when text is generated. */
function plainSequence(prompt: string, completion: string, tokenizer: Tokenizer): Sequence {
  const text = prompt + completion;
  const { ids, inside } = encodeSpans(tokenizer, text, [{ start: prompt.length, end: text.length }]);
  const labels = ids.map((id, i) => (inside[i] ? id : NOT_SUPERVISED));
  const begun = beginOnce(ids, tokenizer);
  const ended = endOnce(begun, tokenizer);
  return { ids: ended, labels: [...unsupervised(begun.length - ids.length), ...labels, ...ended.slice(begun.length)] };
}

function chatSequence(messages: readonly ChatMessage[], tokenizer: Tokenizer, template: ChatTemplate, where: string): Sequence {
  const { text, spans } = assistantSpans(template, messages, tokenizer, where);
  if (spans.length === 0) {
    const roles = messages.map((message) => message.role);
    throw new UsageError(
      where,
      `no message is the assistant's (only of: ${[...new Set(roles)].join(", ")}), so there is nothing to learn. Remove the row.`,
      {
        roles,
      },
    );
  }
  const { ids, inside } = encodeSpans(tokenizer, text, spans);
  const begun = beginOnce(ids, tokenizer);
  return { ids: begun, labels: [...unsupervised(begun.length - ids.length), ...ids.map((id, i) => (inside[i] ? id : NOT_SUPERVISED))] };
}

const unsupervised = (count: number): number[] => new Array<number>(count).fill(NOT_SUPERVISED);
