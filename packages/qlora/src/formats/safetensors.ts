// Reading a safetensors file: eight bytes of header length (little-endian), the header, then the tensors' bytes. Opening reads the header alone;
// a tensor's bytes, or a part of them, are read when asked for.
import { FormatError, type Shape } from "@qlora-js/core";
import type { PackedWeight } from "./bitsandbytes/packed-weight.ts";
import type { ByteSource } from "./byte-source.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import { MAX_HEADER_BYTES, parseSafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";
import { checkTensorRange } from "./tensor-range.ts";

/** A tensor in a file: row-major, little-endian. */
export interface StoredTensor {
  /** The file it is in, for errors. */
  readonly file: string;
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly byteLength: number;
  /**
   * Its bytes, all or `length` of them from `offset`, at the start of an array buffer.
   * @param into where they may be put, as in `ByteSource.read`
   * @throws ArgumentError if the range leaves the tensor
   * @throws FormatError if the file has become shorter since it was opened
   */
  read(offset?: number, length?: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** The 4-bit weight that reading dequantizes, where it is one. */
  readonly packed?: PackedWeight;
}

/** A safetensors file that is open: its metadata and its tensors, none of them read yet. */
export interface Safetensors {
  readonly file: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Closes the source; tensors cannot be read any more. */
  close(): Promise<void>;
}

/**
 * Opens a safetensors file. The source is closed when the result is, or at once if this fails.
 * @throws FormatError if it is not one, or any tensor in it is not where it says
 */
export async function openSafetensors(source: ByteSource): Promise<Safetensors> {
  try {
    const { metadata, tensors, dataStart } = await readHeader(source);
    const stored = new Map([...tensors].map(([name, entry]) => [name, storedTensor(source, dataStart, entry)]));
    return { file: source.name, metadata, tensors: stored, close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readHeader(source: ByteSource) {
  const { name, byteLength } = source;
  if (byteLength < 8) throw new FormatError(name, `has ${byteLength} bytes. It is not a safetensors file, or it is cut short.`);
  const first = await source.read(0, 8);
  const length = new DataView(first.buffer).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      name,
      `the header's length is ${length}, above the limit of ${MAX_HEADER_BYTES}. It is not a safetensors file, or it is damaged.`,
    );
  }
  const headerBytes = Number(length);
  if (headerBytes > byteLength - 8) {
    throw new FormatError(name, `the header's length is ${headerBytes}, but the file has ${byteLength} bytes. It is cut short.`);
  }
  const dataStart = 8 + headerBytes;
  const header = parseSafetensorsHeader(name, await source.read(8, headerBytes), byteLength - dataStart);
  return { ...header, dataStart };
}

function storedTensor(source: ByteSource, dataStart: number, { dtype, shape, begin, end }: TensorEntry): StoredTensor {
  const byteLength = end - begin;
  return {
    file: source.name,
    dtype,
    shape,
    byteLength,
    async read(offset = 0, length = byteLength - offset, into?: Uint8Array<ArrayBuffer>) {
      checkTensorRange(byteLength, offset, length);
      return source.read(dataStart + begin + offset, length, into);
    },
  };
}
