// Which files of a model's repository are needed: its configuration, its tokenizer, and its safetensors weights; or an adapter's two. Not the same weights
// again as .bin, .onnx, .gguf, .h5 or .msgpack.
import { UsageError } from "../error.ts";
import { ggufPartNames } from "../formats/gguf/gguf-part-names.ts";
import { pickledWeights } from "../formats/pickled-weights.ts";
import type { RepositoryFile } from "./list-repository.ts";

/** All of a model, or only what says its shape and makes tokens; or one file that was named. */
export type Wanted = "model" | "text" | "adapter" | { readonly path: string };

const CONFIG = "config.json";
const TEXT: ReadonlySet<string> = new Set([
  CONFIG,
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "spiece.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
  "chat_template.json",
]);
const WHOLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const SHARD = /^model-(\d{5})-of-(\d{5})\.safetensors$/;
const ADAPTER: readonly string[] = ["adapter_config.json", "adapter_model.safetensors"];

/**
 * The files to download, of those there are.
 * @param name The repository, for messages.
 * @throws UsageError if what is wanted is not among them; says what is there instead, and what to do
 */
export function wantedFiles(name: string, files: readonly RepositoryFile[], wanted: Wanted): readonly RepositoryFile[] {
  const named = new Map(files.map((file) => [file.path, file]));
  if (typeof wanted === "object") return withParts(wanted.path).map((path) => named.get(path) ?? lacks(name, path, files));
  if (wanted === "adapter") return ADAPTER.map((path) => named.get(path) ?? lacks(name, path, files));
  if (!named.has(CONFIG)) throw new UsageError(name, withoutModel(name, files), { files: listed(files) });
  const text = files.filter(({ path }) => TEXT.has(path));
  return wanted === "text" ? text : [...text, ...weights(name, files, named)];
}

function weights(name: string, files: readonly RepositoryFile[], named: ReadonlyMap<string, RepositoryFile>): readonly RepositoryFile[] {
  const whole = named.get(WHOLE);
  if (whole) return [whole];
  const index = named.get(INDEX);
  const shards = files.filter(({ path }) => SHARD.test(path));
  if (!index || shards.length === 0) throw new UsageError(name, withoutModel(name, files), { files: listed(files) });
  const count = Number(SHARD.exec(shards[0]!.path)![2]);
  if (shards.length !== count) {
    const what = `holds ${shards.length} of the ${count} shards of its weights. It is not whole; take another revision, or tell its owner.`;
    throw new UsageError(name, what, { shards: shards.length, expected: count });
  }
  return [index, ...shards];
}

/** A file, with the others that its GGUF model was cut into. */
function withParts(path: string): readonly string[] {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return ggufPartNames(path.slice(folder.length))?.map((part) => folder + part) ?? [path];
}

const MOST_LISTED = 8;
const listed = (files: readonly RepositoryFile[]): string[] => files.slice(0, 100).map(({ path }) => path);

/** `It holds a, b and 3 more.` */
export function holds(files: readonly RepositoryFile[]): string {
  if (files.length === 0) return "It holds no files.";
  const shown = files.slice(0, MOST_LISTED).map(({ path }) => path);
  return `It holds ${shown.join(", ")}${files.length > MOST_LISTED ? ` and ${files.length - MOST_LISTED} more` : ""}.`;
}

function lacks(name: string, path: string, files: readonly RepositoryFile[]): never {
  throw new UsageError(name, `has no ${path}. ${holds(files)}`, { path, files: listed(files) });
}

/** Why a repository's weights cannot be used. */
function withoutModel(name: string, files: readonly RepositoryFile[]): string {
  const ending = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path)).map(({ path }) => path);
  if (ending(/^adapter_model\./).length > 0) return "holds an adapter, not a model. Give its base model here, and this one as --adapter.";
  const gguf = ending(/\.gguf$/i);
  if (gguf.length > 0) {
    const choice = gguf.slice(0, MOST_LISTED).map((path) => `${name}/${path}`);
    return `holds GGUF files. Give one of them: ${choice.join(", ")}${gguf.length > choice.length ? ", …" : ""}`;
  }
  const paths = files.map(({ path }) => path);
  return pickledWeights(name, paths) ?? `holds no model with ${CONFIG} and ${WHOLE}. ${holds(files)}`;
}
