// Bytes that can be read at any place: a file in Node, a blob or an array in a page. Readers of formats see only this, so they run everywhere.
import { FormatError } from "@qlora-js/core";

/** Bytes that can be read at any place: a file, a blob, an array. */
export interface ByteSource {
  /** A path, or a name for bytes that came from elsewhere; errors carry it. */
  readonly name: string;
  readonly byteLength: number;
  /**
   * `length` bytes from `offset`, at the start of an array buffer (so any typed array may be laid over them).
   * @param into where a source that copies may put them, at least `length` bytes; without it the array is a new one. A loop that is done with each piece
   *   before the next gives the same array again and leaves nothing to collect.
   * @throws FormatError where the range leaves the source, or the source has become shorter
   */
  read(offset: number, length: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Lets go of the file, if there is one. */
  close(): Promise<void>;
}

/** @throws FormatError unless the range lies within the source */
export function checkRange(source: { readonly name: string; readonly byteLength: number }, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (whole && offset <= source.byteLength - length) return;
  throw new FormatError(source.name, `bytes ${offset} to ${offset + length} were asked of ${source.byteLength}. The file is cut short.`);
}

/** Bytes in memory as a source. They are not copied; do not change them while it is in use. */
export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  const source = {
    name,
    byteLength: bytes.byteLength,
    async read(offset: number, length: number) {
      checkRange(source, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    async close() {},
  };
  return source;
}
