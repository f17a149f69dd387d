// Which files of a data set's repository are its rows for training and for evaluation: by the words in their names, as Python's `datasets` reads them
// (train; validation, valid, val, dev; test, testing, eval, evaluation), and all of them for training where none has such a word.
import { groupShards, type Shards } from "../data/shards.ts";
import { UsageError } from "../error.ts";
import type { RepositoryFile } from "./list-repository.ts";
import { holds } from "./wanted-files.ts";

/** Of each split one file, or all of those that it was cut into. */
export interface DataFiles {
  readonly train: readonly RepositoryFile[];
  readonly valid: readonly RepositoryFile[] | undefined;
}

const WORDS = {
  train: /(?:^|[^a-z])(?:train|training)(?:$|[^a-z])/i,
  valid: /(?:^|[^a-z])(?:validation|valid|val|dev)(?:$|[^a-z])/i,
  test: /(?:^|[^a-z])(?:test|testing|eval|evaluation)(?:$|[^a-z])/i,
};
/** JSON that describes a data set and is none. */
const ABOUT = /(?:^|\/)(?:dataset_infos?|dataset_dict|state|metadata|config|package|package-lock)\.json$/i;

/**
 * The files of rows.
 * @param name The repository, for messages.
 * @param path A file or a folder of it, or the name that the files of a split have before their numbers; undefined for all.
 * @throws UsageError if there are none that can be read, or it cannot be told which
 */
export function wantedData(name: string, files: readonly RepositoryFile[], path: string | undefined): DataFiles {
  const exact = files.find((file) => file.path === path);
  if (exact) return isRows(exact) ? { train: [exact], valid: undefined } : none(name, [exact]);
  const inside = path === undefined ? files : files.filter((file) => file.path.startsWith(`${path}/`));
  if (inside.length === 0) return { train: named(name, files, path), valid: undefined };
  const all = inside.filter((file) => isRows(file) && !file.path.split("/").some((part) => part.startsWith(".")));
  const rows = [/\.jsonl$/i, /\.json$/i, /\.parquet$/i]
    .map((kind) => all.filter((file) => kind.test(file.path)))
    .find((some) => some.length > 0);
  if (!rows) return none(name, inside);
  const of = (split: keyof typeof WORDS) => rows.filter((file) => splitOf(file.path) === split);
  const train = of("train");
  const valid = of("valid");
  const plain = rows.filter((file) => splitOf(file.path) === undefined);
  return {
    train: only(name, train.length > 0 ? train : plain.length > 0 ? plain : rows),
    valid: valid.length === 0 ? undefined : only(name, valid),
  };
}

/** The files of the split of that name. */
function named(name: string, files: readonly RepositoryFile[], path: string | undefined): readonly RepositoryFile[] {
  const some = groupShards(files.filter(isRows).map((file) => file.path)).find(({ stem }) => stem === path);
  if (!some) throw new UsageError(name, `has no ${path ?? "files"}. ${holds(files)}`, { path });
  return whole(name, some, files);
}

const isRows = ({ path }: RepositoryFile): boolean => /\.(?:jsonl?|parquet)$/i.test(path) && !ABOUT.test(path);

/** By the file's own name, or else by the nearest folder's. */
function splitOf(path: string): keyof typeof WORDS | undefined {
  for (const part of path.split("/").reverse()) {
    for (const split of ["train", "valid", "test"] as const) if (WORDS[split].test(part)) return split;
  }
  return undefined;
}

const MOST_NAMED = 6;

function only(name: string, files: readonly RepositoryFile[]): readonly RepositoryFile[] {
  const splits = groupShards(files.map(({ path }) => path));
  if (splits.length === 1) return whole(name, splits[0]!, files);
  const places = choices(splits);
  const choice = places.slice(0, MOST_NAMED).map((path) => `${name}/${path}`);
  const what = `has ${places.length} sets of rows that may be meant. Give one of them: ${choice.join(", ")}${places.length > MOST_NAMED ? ", …" : ""}`;
  throw new UsageError(name, what, { files: files.map(({ path }) => path) });
}

/** What to name, to have one: a folder where each is in one of its own, since what to evaluate on may be there too. */
function choices(splits: readonly Shards[]): readonly string[] {
  const folders = splits.map(({ paths }) => paths[0]!.slice(0, Math.max(0, paths[0]!.lastIndexOf("/"))));
  return new Set(folders).size === splits.length && !folders.includes("") ? folders : splits.map(({ stem }) => stem);
}

function whole(name: string, { stem, paths, whole }: Shards, files: readonly RepositoryFile[]): readonly RepositoryFile[] {
  if (whole) return paths.map((path) => files.find((file) => file.path === path)!);
  const what = `has ${paths.length} files of ${stem}, and not all that there should be, or one twice. Take another revision, or name one of them: ${name}/${paths[0]}`;
  throw new UsageError(name, what, { files: paths });
}

function none(name: string, files: readonly RepositoryFile[]): never {
  const kinds = new Set(files.map(({ path }) => /\.(csv|tsv|arrow|txt|zip|tar|gz|zst|bz2|xz|7z)$/i.exec(path)?.[1]?.toLowerCase()));
  const packed = [...kinds].find((kind) => kind !== undefined);
  if (packed === undefined) throw new UsageError(name, `has no .jsonl, no .json and no .parquet with rows. ${holds(files)}`);
  const convert = `from datasets import load_dataset; load_dataset("${name}", split="train").to_json("train.jsonl")`;
  const what = `has its rows as .${packed}, and .jsonl, .json and .parquet are what can be read. Write them once with datasets: python -c '${convert}', then give train.jsonl.`;
  throw new UsageError(name, what, { kind: packed });
}
