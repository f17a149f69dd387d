// A GGUF file: magic, version, counts, metadata, the list of tensors, then the tensors' bytes. Opening reads the header alone, and trusts nothing in it.
// Knows nothing of models: names and numbers are as the file has them. Source: ggml docs/gguf.md.
import type { Shape } from "@qlora-js/core";
import type { ByteSource } from "../byte-source.ts";
import { checkTensorRange } from "../tensor-range.ts";
import { GGUF_ALIGNMENT, GGUF_MAGIC, GGUF_VERSION, type TensorTypeName } from "./gguf-types.ts";
import { HeaderCursor } from "./header-cursor.ts";
import { type Metadata, readMetadata, shown } from "./metadata.ts";
import { checkPlaces, readTensorInfos, type TensorInfo } from "./tensor-infos.ts";

/** A tensor in a GGUF file, in the file's own layout. */
export interface GgufTensor {
  readonly file: string;
  readonly type: TensorTypeName;
  /** Rows first. */
  readonly shape: Shape;
  readonly byteLength: number;
  /**
   * Its bytes, all or `length` of them from `offset`.
   * @throws ArgumentError if the range leaves the tensor; FormatError if the file has become shorter
   */
  read(offset?: number, length?: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A GGUF file that is open: its metadata and its list of tensors. */
export interface GgufFile {
  readonly file: string;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Closes the source; tensors cannot be read any more. */
  close(): Promise<void>;
}

/**
 * Opens a GGUF file of version 2 or 3. The source is closed when the result is, or at once if this fails.
 * @throws FormatError if it is not one, or any part of its header cannot be
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  try {
    const { metadata, infos, dataStart } = await readHeader(source);
    const tensors = new Map([...infos].map(([name, info]) => [name, ggufTensor(source, dataStart, info)]));
    return { file: source.name, metadata, tensors, close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readHeader(source: ByteSource) {
  const cursor = new HeaderCursor(source);
  await readVersion(cursor);
  const tensorCount = await cursor.count("the number of tensors", Number.MAX_SAFE_INTEGER);
  const entryCount = await cursor.count("the number of metadata entries", Number.MAX_SAFE_INTEGER);
  const metadata = await readMetadata(cursor, entryCount);
  const alignment = alignmentOf(cursor, metadata);
  const infos = await readTensorInfos(cursor, tensorCount, alignment);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  checkPlaces(cursor, infos, Math.max(0, source.byteLength - dataStart));
  return { metadata, infos, dataStart };
}

async function readVersion(cursor: HeaderCursor): Promise<void> {
  const magic = await cursor.number("u32", "the magic");
  if (magic !== GGUF_MAGIC) cursor.fail('does not start with "GGUF". This is not a GGUF file.');
  const version = await cursor.number("u32", "the version");
  if (version === 2 || version === GGUF_VERSION) return;
  if (version & 0xffff) cursor.fail(`is of GGUF version ${version}; 2 and ${GGUF_VERSION} are read. Convert it with a current llama.cpp.`);
  cursor.fail("is big-endian. Convert it with gguf-py's gguf_convert_endian.");
}

function alignmentOf(cursor: HeaderCursor, metadata: Metadata): number {
  const alignment = metadata.get("general.alignment") ?? GGUF_ALIGNMENT;
  const sound = typeof alignment === "number" && alignment >= 1 && alignment <= 1 << 20 && Number.isInteger(Math.log2(alignment));
  return sound ? alignment : cursor.fail(`"general.alignment" is ${shown(alignment)}, not a power of two up to ${1 << 20}.`);
}

function ggufTensor(source: ByteSource, dataStart: number, { type, shape, begin, end }: TensorInfo): GgufTensor {
  const byteLength = end - begin;
  return {
    file: source.name,
    type,
    shape,
    byteLength,
    async read(offset = 0, length = byteLength - offset) {
      checkTensorRange(byteLength, offset, length);
      return source.read(dataStart + begin + offset, length);
    },
  };
}
