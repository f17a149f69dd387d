// Cutting a text where a pattern matches, and what becomes of the matches: tokenizers' `SplitDelimiterBehavior` (normalizer.rs).
import * as z from "zod/mini";
import type { TextPattern } from "./text-pattern.ts";

/** What becomes of the matches of a pattern. */
export type SplitBehavior = "removed" | "isolated" | "contiguous" | "mergedwithprevious" | "mergedwithnext";

/** As tokenizer.json writes it: `MergedWithPrevious`, `Isolated`, … */
export const splitBehavior = z.pipe(
  z.pipe(
    z.string(),
    z.transform((name) => name.toLowerCase().replaceAll("_", "")),
  ),
  z.enum(["removed", "isolated", "contiguous", "mergedwithprevious", "mergedwithnext"]),
);

interface Part {
  readonly text: string;
  readonly match: boolean;
}

/**
 * The pieces of a text, none of them empty.
 * @param invert Whether what stands between matches is what counts as a match.
 */
export function split(text: string, pattern: TextPattern | undefined, behavior: SplitBehavior, invert = false): string[] {
  const parts = partsOf(text, pattern, invert);
  return (behavior === "removed" ? parts.filter(({ match }) => !match) : merged(parts, behavior))
    .map((part) => part.text)
    .filter((piece) => piece !== "");
}

function partsOf(text: string, pattern: TextPattern | undefined, invert: boolean): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of pattern?.matches(text) ?? []) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), match: invert });
    parts.push({ text: found[0], match: !invert });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), match: invert });
  return parts;
}

function merged(parts: readonly Part[], behavior: Exclude<SplitBehavior, "removed">): Part[] {
  if (behavior === "isolated") return [...parts];
  if (behavior === "mergedwithnext")
    return glued(
      [...parts].reverse(),
      (match, before) => match && !before,
      (a, b) => b + a,
    ).reverse();
  const joins =
    behavior === "contiguous"
      ? (match: boolean, before: boolean) => match === before
      : (match: boolean, before: boolean) => match && !before;
  return glued(parts, joins, (a, b) => a + b);
}

/** Parts one after the other, each put to the last one where the rule says so. The rule sees whether the part before was a match: at first it was none. */
function glued(
  parts: readonly Part[],
  joins: (match: boolean, before: boolean) => boolean,
  join: (last: string, next: string) => string,
): Part[] {
  const result: Part[] = [];
  let before = false;
  for (const part of parts) {
    const last = result.at(-1);
    if (last && joins(part.match, before)) result[result.length - 1] = { ...last, text: join(last.text, part.text) };
    else result.push(part);
    before = part.match;
  }
  return result;
}
