// Files of one split that was cut into several, as data sets are on the hub: train-00000-of-00003.parquet; or 0000.parquet, 0001.parquet, … in a folder, as the hub
// converts them itself; perhaps with a hash behind the number. They are one after another, by their numbers. No file is looked at here.

const OF_MANY = /^(?<stem>(?:.*[^/])?)-(?<no>\d{5})-of-(?<count>\d{5})(?:-[0-9a-f]{16})?(?<kind>\.(?:parquet|jsonl?))$/i;
const COUNTED = /^(?<stem>(?:.*\/)?)(?<no>\d{4})(?<kind>\.parquet)$/i;

/** A split: one file, or several. */
export interface Shards {
  /** The path without number and ending, `data/train`; of files that are numbers alone, their folder; of any other file, its path. */
  readonly stem: string;
  /** By their numbers. */
  readonly paths: readonly string[];
  /** Whether no number is missing, or there twice. */
  readonly whole: boolean;
}

interface Numbered {
  readonly path: string;
  readonly no: number;
}

/** Puts together what belongs together, in the order of the list. */
export function groupShards(paths: readonly string[]): Shards[] {
  const groups = new Map<string, { stem: string; count: number | undefined; parts: Numbered[] }>();
  for (const path of paths) {
    const { stem, no, count, kind } = (OF_MANY.exec(path) ?? COUNTED.exec(path))?.groups ?? {};
    const key = stem === undefined ? path : [stem, count, kind].join("\0");
    let group = groups.get(key);
    if (!group) {
      group = { stem: stem?.replace(/\/$/, "") || path, count: count === undefined ? undefined : Number(count), parts: [] };
      groups.set(key, group);
    }
    group.parts.push({ path, no: Number(no ?? 0) });
  }
  return [...groups.values()].map(({ stem, count, parts }) => {
    parts.sort((a, b) => a.no - b.no);
    return { stem, paths: parts.map(({ path }) => path), whole: isWhole(parts, count ?? parts.length) };
  });
}

/** Counted from 0, or from 1. */
function isWhole(parts: readonly Numbered[], count: number): boolean {
  const first = parts[0]!.no;
  return first <= 1 && parts.length === count && parts.every(({ no }, i) => no === first + i);
}
