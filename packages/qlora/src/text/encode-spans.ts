// The ids of a text together with which of them lie inside given character spans. The library offers no offsets, so the text is encoded in pieces cut at
// the ends of the spans: nearly always a special token or a line end stands there, and the ids are those of the whole. Where the pieces say another text
// than the whole, the ids of the whole are aligned by decoding.
import type { Tokenizer } from "./tokenizer.ts";

/** A stretch of a text: characters (UTF-16 units) from `start` up to but without `end`. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** The ids of a text and what the spans make of them. */
export interface SpanEncoding {
  readonly ids: readonly number[];
  /** For each id, whether it is inside a span. */
  readonly inside: readonly boolean[];
  /** Ids that hold characters of both sides of a cut: outside where a span begins, inside where it ends. */
  readonly straddling: number;
}

/**
 * Encodes a text, without the special tokens around it, and marks the ids inside the spans.
 *
 * Where a token would run across a cut, the cut goes through it, if the pieces say the same text: a span begins where generation starts, and there the
 * prompt is encoded alone as well. Tokenizers that put a space before each text cannot be cut so; there the ids are those of the whole.
 * @param spans In order, not overlapping, within the text.
 */
export function encodeSpans(tokenizer: Tokenizer, text: string, spans: readonly TextSpan[]): SpanEncoding {
  const encode = (piece: string): number[] => tokenizer.encode(piece, { addSpecialTokens: false });
  const cuts = [0, ...spans.flatMap((span) => [span.start, span.end]), text.length];
  const pieces = cuts.slice(1).map((end, i) => encode(text.slice(cuts[i], end)));
  const joined = pieces.flat();
  const cut = { ids: joined, inside: pieces.flatMap((piece, i) => piece.map(() => i % 2 === 1)), straddling: 0 };
  const said = tokenizer.decode(joined);
  if (said === text) return cut;
  const ids = encode(text);
  if (same(joined, ids) || said === tokenizer.decode(ids)) return cut;
  return alignByText(tokenizer, ids, spans, (end) => encode(text.slice(0, end)));
}

function alignByText(
  tokenizer: Tokenizer,
  ids: readonly number[],
  spans: readonly TextSpan[],
  encodeUpTo: (end: number) => number[],
): SpanEncoding {
  const inside = ids.map(() => false);
  let straddling = 0;
  const cutAt = (position: number): { before: number; through: number } => {
    const before = encodeUpTo(position);
    if (before.every((id, i) => ids[i] === id)) return { before: before.length, through: before.length };
    const whole = tokenizer.decode(before).length;
    let index = before.findIndex((id, i) => ids[i] !== id);
    while (index < ids.length && tokenizer.decode(ids.slice(0, index + 1)).length <= whole) index++;
    const clean = tokenizer.decode(ids.slice(0, index)).length === whole;
    return { before: index, through: clean ? index : Math.min(index + 1, ids.length) };
  };
  for (const span of spans) {
    const start = cutAt(span.start);
    const end = cutAt(span.end);
    straddling += start.through - start.before + (end.through - end.before);
    inside.fill(true, start.through, end.through);
  }
  return { ids, inside, straddling };
}

const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, i) => b[i] === id);
