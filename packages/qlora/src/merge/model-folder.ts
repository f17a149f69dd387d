// A model's folder as transformers writes it: weights in one file or in shards with their index, and beside them config, tokenizer and template as they
// were. Made whole or not at all. Node only.
import { join } from "node:path";
import type { Folder } from "../formats/folder.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { safetensorsChunks, type TensorToStore } from "../formats/safetensors-layout.ts";
import { writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { companions } from "./companions.ts";
import { type Shard, SINGLE_FILE, shardsOf } from "./shards.ts";

/** What is written where, and how large a file gets. */
export interface ModelFolderOptions {
  /** Of tensors in one file. */
  readonly maxShardBytes: number;
  /** What becomes of the text of config.json; it stays as it is if left out. */
  readonly config?: (text: string) => string;
  /** How many numbers the model has, where its tensors are not those numbers. */
  readonly parameters?: number;
  /** Called with the bytes of tensors written so far. */
  readonly onProgress?: (writtenBytes: number) => void;
}

const INDEX_FILE = `${SINGLE_FILE}.index.json`;

/**
 * Writes the folder.
 * @returns names of its files
 * @throws StorageError if it cannot be written; what stood there before is then as it was
 */
export async function writeModelFolder(path: string, source: Folder, files: ModelFiles, options: ModelFolderOptions): Promise<string[]> {
  const shards = shardsOf(files.tensors, options.maxShardBytes);
  const beside = await companions(source, options.config);
  const single = shards.length === 1 && shards[0]!.file === SINGLE_FILE;
  await writeFolderSafely(path, async (folder) => {
    let written = 0;
    for (const { file, names } of shards) {
      const tensors = names.map((name) =>
        toStore(name, files.tensors.get(name)!, (bytes) => {
          written += bytes;
          options.onProgress?.(written);
        }),
      );
      await writeFileSafely(join(folder, file), safetensorsChunks(tensors));
    }
    if (!single) await writeFileSafely(join(folder, INDEX_FILE), indexJson(shards, files.tensors, options.parameters));
    for (const [name, content] of beside) await writeFileSafely(join(folder, name), await content());
  });
  return [...shards.map(({ file }) => file), ...(single ? [] : [INDEX_FILE]), ...beside.keys()];
}

function toStore(name: string, stored: StoredTensor, onRead: (bytes: number) => void): TensorToStore {
  const { dtype, shape } = stored;
  const data = async (): Promise<Uint8Array> => {
    const bytes = await stored.read();
    onRead(bytes.byteLength);
    return bytes;
  };
  return { name, dtype, shape, data };
}

/** As transformers 5 writes it: keys sorted, indented by two, a line end. */
function indexJson(shards: readonly Shard[], tensors: ReadonlyMap<string, StoredTensor>, parameters = countOf(tensors)): string {
  const all = [...tensors.values()];
  const metadata = {
    total_parameters: parameters,
    total_size: all.reduce((n, { byteLength }) => n + byteLength, 0),
  };
  const pairs = shards.flatMap(({ file, names }) => names.map((name) => [name, file] as const));
  const weight_map = Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ metadata, weight_map }, undefined, 2)}\n`;
}

const countOf = (tensors: ReadonlyMap<string, StoredTensor>): number =>
  [...tensors.values()].reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
