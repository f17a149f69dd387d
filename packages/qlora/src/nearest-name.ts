// "Did you mean …": the known name nearest to a given one, by edits.
import { distance } from "fastest-levenshtein";

/** The nearest of the known names, if it is near enough to be a slip: at most a third of its letters differ. Upper and lower case are one. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > 100) return undefined;
  const ranked = known.map((name) => ({ name, edits: slips(given.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(Math.max(given.length, best.name.length) / 3)) ? best.name : undefined;
}

/** Letters to change; two that have changed places count once. */
function slips(a: string, b: string): number {
  const edits = distance(a, b);
  return edits === 2 && [...a].sort().join("") === [...b].sort().join("") ? 1 : edits;
}

/** ` Did you mean "x"?`, to end a message with, or nothing where no name is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const name = nearestName(given, known);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}
