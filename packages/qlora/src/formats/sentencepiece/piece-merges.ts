// The merges that make the pieces of a SentencePiece BPE model, which has none: every way to make a piece of two others, in the order of the pieces' ids,
// those with the shorter left half first. Source: transformers 5.23 tokenization_utils_base.py (`generate_merges`).

/** Longer than any piece that is merged; longer ones, in a hostile file, would take the square of their length. */
const LONGEST_PIECE = 256;

/** @param ids by piece */
export function pieceMerges(ids: ReadonlyMap<string, number>): (readonly [left: string, right: string])[] {
  const merges: (readonly [string, string])[] = [];
  for (const piece of ids.keys()) {
    if (piece.length > LONGEST_PIECE) continue;
    for (let at = 1; at < piece.length; at++) {
      const [left, right] = [piece.slice(0, at), piece.slice(at)];
      if (ids.has(left) && ids.has(right)) merges.push([left, right]);
    }
  }
  return merges;
}
