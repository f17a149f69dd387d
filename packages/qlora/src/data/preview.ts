// An example as text, piece by piece, with what each piece is to training: given, learnt, or a mark. Data only; colours are the command's.
import { StreamDecoder } from "../text/stream-decoder.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { NOT_SUPERVISED } from "./rows.ts";
import type { Example } from "./tokenize.ts";

/** A stretch of an example. */
export interface Segment {
  readonly text: string;
  /** `context` is given, `supervised` is learnt; `special` is a special token of either sort. */
  readonly kind: "context" | "supervised" | "special";
  /** Whether the loss is on it: tells a trained stop token from a given one. */
  readonly supervised: boolean;
}

/** One token of an example. */
export interface TokenSegment extends Segment {
  readonly id: number;
}

/** The tokens of an example, in order. A character spread over several tokens shows at the last of them. Without a tokenizer the text is the id. */
export function previewTokens(example: Pick<Example, "inputIds" | "labels" | "source">, tokenizer?: Tokenizer): TokenSegment[] {
  if (example.source) {
    const labels = new Int32Array(example.source.length).fill(NOT_SUPERVISED);
    return [
      ...previewTokens({ inputIds: example.source, labels }, tokenizer),
      ...previewTokens({ ...example, source: undefined }, tokenizer),
    ];
  }
  const stream = tokenizer && new StreamDecoder(tokenizer, { skipSpecialTokens: false });
  const tokens = Array.from(example.inputIds, (id, i): TokenSegment => {
    const supervised = example.labels[i] !== NOT_SUPERVISED;
    const kind = tokenizer?.isSpecial(id) ? "special" : supervised ? "supervised" : "context";
    return { id, text: stream ? stream.push(id) : `${id} `, kind, supervised };
  });
  const rest = stream?.flush() ?? "";
  const last = tokens.at(-1);
  return last && rest !== "" ? [...tokens.slice(0, -1), { ...last, text: last.text + rest }] : tokens;
}

/** The same as stretches of one kind: what a one-line preview shows. */
export function previewSegments(example: Pick<Example, "inputIds" | "labels" | "source">, tokenizer?: Tokenizer): Segment[] {
  const segments: Segment[] = [];
  for (const { text, kind, supervised } of previewTokens(example, tokenizer)) {
    const last = segments.at(-1);
    if (last && kind !== "special" && last.kind === kind) segments.splice(-1, 1, { ...last, text: last.text + text });
    else segments.push({ text, kind, supervised });
  }
  return segments;
}
