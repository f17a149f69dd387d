// The weights of a folder, whatever files they are in: `model.safetensors`, shards listed by `model.safetensors.index.json`, or one GGUF file.
// Opening reads headers alone and checks that index and shards agree; tensors are read one by one.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { UsageError } from "../error.ts";
import { hasPackedParts } from "./bitsandbytes/packed-part-name.ts";
import { type Folder, listing } from "./folder.ts";
import { ggufOf, openGgufOf, severalGgufs } from "./gguf/gguf-of-folder.ts";
import { pickledWeights } from "./pickled-weights.ts";
import { quoted } from "./quoted.ts";
import { checkJson, readJson } from "./read-json.ts";
import { openSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";

const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";
const MAX_INDEX_BYTES = 100_000_000;

/** Weights that bitsandbytes packed into 4 bits are tensors like the others here; see `StoredTensor.packed`. */
export interface ModelFiles {
  readonly folder: string;
  /** Files the tensors are in, sorted; for hashing. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Lets go of the files. */
  close(): Promise<void>;
}

/**
 * Opens all weights of a model folder.
 * @throws UsageError if the folder holds no weights that are read; says what it holds instead, and how to convert that
 * @throws FormatError if a file is damaged, or index and shards disagree
 * @throws UnsupportedError for a GGUF file with something that is not read
 */
export async function openModelFiles(folder: Folder): Promise<ModelFiles> {
  if (folder.files.includes(SINGLE_FILE)) return collect(folder, [SINGLE_FILE], undefined);
  const gguf = ggufOf(folder);
  if (gguf !== undefined) return (await openGgufOf(folder, gguf)).files;
  if (!folder.files.includes(INDEX_FILE)) throw new UsageError(folder.name, withoutWeights(folder), { files: folder.files });
  const index = await readIndex(folder);
  return collect(folder, [...new Set(index.values())].sort(), index);
}

/** Why a folder without safetensors weights cannot be used. */
function withoutWeights(folder: Folder): string {
  const ending = (pattern: RegExp) => folder.files.find((name) => pattern.test(name));
  const shard = ending(/^model-\d+-of-\d+\.safetensors$/);
  if (shard) return `holds shards such as ${shard}, but not the index ${INDEX_FILE} that lists them. Download that file too.`;
  if (ending(/^adapter_model\./)) return "holds an adapter, not a model. Give the base model's folder here, and this one as --adapter.";
  return (
    pickledWeights(folder.name, folder.files) ?? severalGgufs(folder) ?? `holds no ${SINGLE_FILE} and no ${INDEX_FILE}. ${listing(folder)}.`
  );
}

const IndexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

async function readIndex(folder: Folder): Promise<ReadonlyMap<string, string>> {
  const name = `${folder.name}/${INDEX_FILE}`;
  const { weight_map } = checkJson(name, IndexSchema, await readJson(folder, INDEX_FILE, MAX_INDEX_BYTES));
  const index = new Map(Object.entries(weight_map));
  if (index.size === 0) throw new FormatError(name, "lists no tensors.");
  for (const [tensor, shard] of index) {
    // A name with a path in it would lead out of the folder.
    if (/[/\\]/.test(shard) || !shard.endsWith(".safetensors"))
      throw new FormatError(name, `puts ${quoted(tensor)} into ${quoted(shard)}, which is not a shard's name.`);
    if (!folder.files.includes(shard))
      throw new FormatError(name, `names the shard ${quoted(shard)}, which is not in the folder. Download it too.`);
  }
  return index;
}

async function collect(folder: Folder, files: readonly string[], index: ReadonlyMap<string, string> | undefined): Promise<ModelFiles> {
  const shards: Safetensors[] = [];
  const close = async () => {
    for (const shard of shards) await shard.close();
  };
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const file of files) {
      const shard = await openSafetensors(await folder.open(file));
      shards.push(shard);
      for (const [name, tensor] of shard.tensors) {
        checkAgainst(index, file, name, tensor, tensors.get(name));
        tensors.set(name, tensor);
      }
    }
    const missing = [...(index ?? [])].find(([name]) => !tensors.has(name));
    if (missing)
      throw new FormatError(`${folder.name}/${missing[1]}`, `lacks the tensor ${quoted(missing[0])} that ${INDEX_FILE} puts there.`);
    return { folder: folder.name, files, tensors: await withPacked(tensors), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What unites the parts of 4-bit weights is loaded only where there are such. */
async function withPacked(tensors: ReadonlyMap<string, StoredTensor>): Promise<ReadonlyMap<string, StoredTensor>> {
  if (!hasPackedParts(tensors.keys())) return tensors;
  const { withPackedWeights } = await import("./bitsandbytes/packed-weights.ts");
  return withPackedWeights(tensors);
}

function checkAgainst(
  index: ReadonlyMap<string, string> | undefined,
  file: string,
  name: string,
  tensor: StoredTensor,
  earlier: StoredTensor | undefined,
): void {
  if (earlier) throw new FormatError(tensor.file, `holds the tensor ${quoted(name)}, which ${earlier.file} holds too.`);
  const listed = index ? index.get(name) : file;
  if (listed === file) return;
  const what = listed === undefined ? `${INDEX_FILE} does not list` : `${INDEX_FILE} puts into ${listed}`;
  throw new FormatError(tensor.file, `holds the tensor ${quoted(name)}, which ${what}.`);
}
