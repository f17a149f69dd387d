// What a data set is, worded for a person: the lines that train and inspect print first.
import { previewSegments, type Segment, type TokenSegment } from "../data/preview.ts";
import type { DataStatistics } from "../data/statistics.ts";
import type { Example } from "../data/tokenize.ts";
import type { ModelFolder } from "./open-model.ts";
import type { Colors } from "./output.ts";
import { count, oneLine, percent, plural } from "./wording.ts";

const KINDS: Readonly<Record<DataStatistics["kind"], string>> = {
  messages: "chat (messages)",
  completion: "prompt + completion",
  instruction: "instruction + output",
  text: "text",
  tokens: "ids (input_ids + labels)",
};

/** `812 train · 40 valid · chat (messages) · template: from tokenizer` */
export function dataLine(train: DataStatistics, valid: DataStatistics | undefined, { template }: ModelFolder): string {
  const parts = [`${count(train.rows)} train`, ...(valid ? [`${count(valid.rows)} valid`] : []), KINDS[train.kind]];
  const usesTemplate = train.kind !== "text" && train.kind !== "tokens";
  if (usesTemplate) parts.push(template ? "the model's chat template" : "no chat template");
  return parts.join(" · ");
}

/** `p50 143 · p95 411 · max 1 902   truncated 9 rows (1.1 %, 3.4 % of tokens)` */
export function tokensLine({ tokens, truncated }: DataStatistics): string {
  const cut =
    truncated.rows.count === 0
      ? "none truncated"
      : `truncated ${plural(truncated.rows.count, "row")} (${percent(truncated.rows.share)}, ${percent(truncated.tokens.share)} of tokens)`;
  return `p50 ${count(tokens.p50)} · p95 ${count(tokens.p95)} · max ${count(tokens.max)} · ${cut}`;
}

/** `assistant turns: 46.2 % of tokens · 0 rows fully masked · BOS once · stop token trained ✔` */
export function lossLine({ kind, supervised, emptied, bos, stop }: DataStatistics, { tokenizer }: ModelFolder): string {
  const what = { messages: "assistant turns", completion: "completions", instruction: "outputs", text: "everything", tokens: "labels" }[
    kind
  ];
  const parts = [`${what}: ${percent(supervised.share)} of tokens`];
  if (emptied > 0) parts.push(`${plural(emptied, "row")} left out: cut before any answer`);
  if (tokenizer?.special.bos && kind !== "tokens")
    parts.push(bos.more > 0 ? `BOS twice in ${plural(bos.more, "row")} ✘` : bos.once > 0 ? "BOS once" : "no BOS");
  if (tokenizer) parts.push(stopWords(stop));
  return parts.join(" · ");
}

function stopWords({ trained, untrained }: DataStatistics["stop"]): string {
  if (untrained === 0) return trained > 0 ? "stop token trained ✔" : "every row is cut";
  return trained === 0 ? "stop token not trained ✘ (answers may not end)" : `stop token not trained in ${plural(untrained, "row")} ✘`;
}

/** One row on one line: what is learnt in [brackets], or in colour where there is colour. */
export function previewLine(example: Example, { tokenizer }: ModelFolder, colors: Colors, length: number): string {
  let left = length;
  const shown: string[] = [];
  for (const segment of previewSegments(example, tokenizer)) {
    if (left <= 1) break;
    const text = oneLine(segment.text, left);
    left -= text.length;
    shown.push(painted({ ...segment, text }, colors));
  }
  return shown.join("");
}

/** A whole row token by token, for inspect. */
export const paintTokens = (tokens: readonly TokenSegment[], colors: Colors): string =>
  colors.isColorSupported ? tokens.map((token) => painted(token, colors)).join("") : bracketed(tokens);

function painted({ text, kind, supervised }: Segment, colors: Colors): string {
  if (!colors.isColorSupported) return supervised ? `[${text}]` : text;
  if (kind === "special") return supervised ? colors.bgGreen(colors.black(text)) : colors.bgBlackBright(colors.white(text));
  return supervised ? colors.green(text) : colors.gray(text);
}

function bracketed(tokens: readonly TokenSegment[]): string {
  return tokens
    .map(({ text, supervised }, i) => {
      const opens = supervised && !tokens[i - 1]?.supervised;
      const closes = supervised && !tokens[i + 1]?.supervised;
      return `${opens ? "[" : ""}${text}${closes ? "]" : ""}`;
    })
    .join("");
}
