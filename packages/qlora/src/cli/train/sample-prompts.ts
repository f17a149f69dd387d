// Three prompts that are answered at every evaluation, always the same, so that one sees the answers change: the first rows that begin differently, up to
// where the loss begins.
import type { DataFile } from "../../data/read-file.ts";
import { NOT_SUPERVISED, type Row } from "../../data/rows.ts";
import type { Example } from "../../data/tokenize.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

export interface SamplePrompt {
  /** What is asked, for a person. */
  readonly prompt: string;
  readonly ids: readonly number[];
}

const PROMPTS = 3;
/** Of a text, which has no question. */
const OPENING_TOKENS = 6;

/** The prompts of a data set's first rows. */
export function samplePrompts({ rows }: DataFile, examples: readonly Example[], tokenizer: Tokenizer): SamplePrompt[] {
  const byLine = new Map(rows.map(({ line, row }) => [line, row]));
  const prompts = new Map<string, SamplePrompt>();
  for (const { inputIds, source, labels, line } of examples) {
    const row = byLine.get(line);
    const begins = row?.kind === "text" ? OPENING_TOKENS : labels.findIndex((label) => label !== NOT_SUPERVISED);
    const ids = [...(source ?? inputIds.slice(0, Math.max(1, begins)))];
    const key = ids.join();
    if (!prompts.has(key)) prompts.set(key, { ids, prompt: (row && question(row)) ?? shown(ids, tokenizer) });
    if (prompts.size === PROMPTS) break;
  }
  return [...prompts.values()];
}

/** Ids as text; special tokens only where there is nothing else to see. */
const shown = (ids: readonly number[], tokenizer: Tokenizer): string =>
  tokenizer.decode(ids, { skipSpecialTokens: true }).trim() || tokenizer.decode(ids, { skipSpecialTokens: false });

function question(row: Row): string | undefined {
  switch (row.kind) {
    case "messages": {
      const answered = row.messages.findIndex(({ role }) => role === "assistant");
      return row.messages[answered - 1]?.content;
    }
    case "completion":
      return row.prompt;
    case "instruction":
      return row.input === "" ? row.instruction : `${row.instruction} ${row.input}`;
    default:
      return undefined;
  }
}
