// A model's folder as transformers writes it: weights in one file or in shards with their index, and beside them config, tokenizer and template as they
// were. Made whole or not at all. Node only.
import { join } from "node:path";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Folder } from "../formats/folder.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { safetensorsChunks, type TensorToStore } from "../formats/safetensors-layout.ts";
import { writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { type Shard, SINGLE_FILE, shardsOf } from "./shards.ts";

export interface ModelFolderOptions {
  /** Of tensors in one file. */
  readonly maxShardBytes: number;
  /** The text of config.json, where it is not that of the folder. */
  readonly config?: string;
  /** Called with the bytes of tensors written so far. */
  readonly onProgress?: (writtenBytes: number) => void;
}

/** Files beside the weights that make up a model, and the terms it is used under. */
const COMPANIONS: readonly RegExp[] = [
  /^(generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|processor_config|preprocessor_config)\.json$/,
  /^(merges\.txt|tokenizer\.model|chat_template\.jinja)$/,
  /^(LICENSE|NOTICE|USE_POLICY)(\.\w+)?$/i,
];
const COPY_BYTES = 4 << 20;

/**
 * Writes the folder.
 * @returns names of its files
 * @throws StorageError if it cannot be written; what stood there before is then as it was
 */
export async function writeModelFolder(path: string, source: Folder, files: ModelFiles, options: ModelFolderOptions): Promise<string[]> {
  const shards = shardsOf(files.tensors, options.maxShardBytes);
  const copied = source.files.filter((name) => COMPANIONS.some((pattern) => pattern.test(name)));
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
    if (!single) await writeFileSafely(join(folder, `${SINGLE_FILE}.index.json`), indexJson(shards, files.tensors));
    for (const name of copied) await copy(source, name, join(folder, name));
    if (options.config === undefined) await copy(source, "config.json", join(folder, "config.json"));
    else await writeFileSafely(join(folder, "config.json"), options.config);
  });
  return [...shards.map(({ file }) => file), ...(single ? [] : [`${SINGLE_FILE}.index.json`]), "config.json", ...copied];
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
function indexJson(shards: readonly Shard[], tensors: ReadonlyMap<string, StoredTensor>): string {
  const all = [...tensors.values()];
  const metadata = {
    total_parameters: all.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
    total_size: all.reduce((n, { byteLength }) => n + byteLength, 0),
  };
  const pairs = shards.flatMap(({ file, names }) => names.map((name) => [name, file] as const));
  const weight_map = Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ metadata, weight_map }, undefined, 2)}\n`;
}

async function copy(folder: Folder, name: string, to: string): Promise<void> {
  const source = await folder.open(name);
  try {
    await writeFileSafely(to, pieces(source));
  } finally {
    await source.close();
  }
}

async function* pieces(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += COPY_BYTES) yield source.read(at, Math.min(COPY_BYTES, source.byteLength - at));
}
