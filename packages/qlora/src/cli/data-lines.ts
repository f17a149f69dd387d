// What a data set is, worded for a person: the lines that train and inspect print first.
import { previewSegments, type Segment } from "../data/preview.ts";
import type { DataStatistics } from "../data/statistics.ts";
import type { Example } from "../data/tokenize.ts";
import type { ModelFolder } from "./open-model.ts";
import type { Colors } from "./output.ts";
import { count, oneLine, percent, plural } from "./wording.ts";

/** Characters of a given text that a preview shows at least. */
const SHORTEST = 12;

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

/** One row on one line: what is learnt in [brackets], or in colour where there is colour. What is given is shortened first. */
export function previewLine(example: Example, { tokenizer }: ModelFolder, colors: Colors, length: number): string {
  const segments = previewSegments(example, tokenizer).map((segment) => ({ ...segment, text: oneLine(segment.text, length) }));
  const room = (kind: Segment["kind"]): number => segments.reduce((n, s) => n + (s.kind === kind ? s.text.length : 0), 0);
  const contexts = segments.filter(({ kind }) => kind === "context").length;
  const forContext = length - room("special") - Math.min(room("supervised"), length / 3);
  const shortest = Math.max(SHORTEST, Math.floor(forContext / Math.max(1, contexts)));
  let left = length;
  const shown: Segment[] = [];
  for (const segment of segments) {
    if (left <= 1) break;
    const text = oneLine(segment.text, Math.min(left, segment.kind === "context" ? shortest : left));
    left -= text.length;
    shown.push({ ...segment, text });
  }
  return paint(shown, colors);
}

/** Stretches of a row in colour, or with what is learnt in [brackets]. */
export const paint = (segments: readonly Segment[], colors: Colors): string =>
  colors.isColorSupported ? segments.map((segment) => painted(segment, colors)).join("") : bracketed(segments);

function painted({ text, kind, supervised }: Segment, colors: Colors): string {
  if (kind === "special") return supervised ? colors.bgGreen(colors.black(text)) : colors.bgBlackBright(colors.white(text));
  return supervised ? colors.green(text) : colors.gray(text);
}

function bracketed(tokens: readonly Segment[]): string {
  return tokens
    .map(({ text, supervised }, i) => {
      const opens = supervised && !tokens[i - 1]?.supervised;
      const closes = supervised && !tokens[i + 1]?.supervised;
      return `${opens ? "[" : ""}${text}${closes ? "]" : ""}`;
    })
    .join("");
}
