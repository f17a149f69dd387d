// Pre-training windows: documents of the grammar one after another until a window is full. A window begins with a document, so that the model also
// learns what stands at the very beginning; the last document is cut off.
import type { Below } from "./fact.ts";
import { type MicroDocument, microText } from "./grammar.ts";

/** Exactly `length` token ids, a pure function of the random numbers drawn. */
export function microWindow(
  grammar: (draw: Below) => MicroDocument,
  encode: (text: string) => readonly number[],
  draw: Below,
  length: number,
): number[] {
  const ids: number[] = [];
  while (ids.length < length) ids.push(...encode(microText(grammar(draw))));
  return ids.slice(0, length);
}
