// Reads the beginning of a file value by value, a window at a time. Nothing is allocated by a length that the file merely claims: what would lie outside the file,
// or beyond the limit on headers, is refused before it is read. Little-endian, as all GGUF files in use.
import { FormatError } from "@qlora-js/core";
import type { ByteSource } from "../byte-source.ts";

/** Ten times the header of a vocabulary of 262,144 tokens with merges, the largest in use. */
const MAX_HEADER_BYTES = 200_000_000;
const WINDOW_BYTES = 1 << 20;

/** The numbers of fixed width that a header is made of. */
export type NumberKind = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f32" | "f64";

/** Bytes of each. */
export const NUMBER_BYTES: Readonly<Record<NumberKind, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
};

export class HeaderCursor {
  readonly #source: ByteSource;
  readonly #limit: number;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #windowStart = 0;
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#limit = Math.min(source.byteLength, MAX_HEADER_BYTES);
  }

  get file(): string {
    return this.#source.name;
  }

  /** The place in the file of what is read next. */
  get position(): number {
    return this.#windowStart + this.#at;
  }

  /** How many bytes there can still be. */
  get left(): number {
    return this.#limit - this.position;
  }

  fail(what: string): never {
    throw new FormatError(this.file, what);
  }

  /**
   * Makes sure that the next `bytes` are at hand. Returns nothing where they are, so that reading small values waits for nothing.
   * @throws FormatError if the file, or the limit on headers, ends before
   */
  need(bytes: number, what: string): Promise<void> | undefined {
    if (bytes <= this.#window.length - this.#at) return undefined;
    if (bytes > this.left) {
      const end = this.#limit < this.#source.byteLength ? "a header may have at most" : "the file has";
      this.fail(`${what} takes ${bytes} bytes from byte ${this.position}, but ${end} ${this.#limit}. It is cut short or damaged.`);
    }
    return this.#slide(bytes);
  }

  async #slide(bytes: number): Promise<void> {
    const start = this.position;
    const length = Math.min(Math.max(bytes, WINDOW_BYTES), this.left);
    this.#window = await this.#source.read(start, length);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#windowStart = start;
    this.#at = 0;
  }

  /** A number that `need` has seen to. 64-bit ones come as a number where it is exact, else as a bigint. */
  take(kind: NumberKind): number | bigint {
    const at = this.#at;
    this.#at += NUMBER_BYTES[kind];
    return readNumber(this.#view, kind, at);
  }

  /** Bytes that `need` has seen to; a copy, in an array buffer of its own. */
  takeBytes(length: number): Uint8Array<ArrayBuffer> {
    this.#at += length;
    return this.#window.slice(this.#at - length, this.#at);
  }

  async number(kind: Exclude<NumberKind, "u64" | "i64">, what: string): Promise<number> {
    const wait = this.need(NUMBER_BYTES[kind], what);
    if (wait) await wait;
    return this.take(kind) as number;
  }

  /**
   * A count or length.
   * @throws FormatError above `most`
   */
  async count(what: string, most: number): Promise<number> {
    const wait = this.need(8, what);
    if (wait) await wait;
    return this.#checkCount(this.take("u64"), what, most);
  }

  /** @throws FormatError if the text is longer than `most` bytes, or than the file, or not UTF-8 */
  async text(what: string, most = MAX_HEADER_BYTES): Promise<string> {
    const length = await this.count(`the length of ${what}`, most);
    const wait = this.need(length, what);
    if (wait) await wait;
    return this.#takeText(length, what);
  }

  /** A text that lies in the window whole, or undefined: a list of a hundred thousand is read without a hundred thousand waits. */
  textAtHand(what: string): string | undefined {
    const rest = this.#window.length - this.#at;
    if (rest < 8) return undefined;
    const length = this.#checkCount(readNumber(this.#view, "u64", this.#at), what, MAX_HEADER_BYTES);
    if (length > rest - 8) return undefined;
    this.#at += 8;
    return this.#takeText(length, what);
  }

  #takeText(length: number, what: string): string {
    const bytes = this.#window.subarray(this.#at, this.#at + length);
    try {
      const text = this.#utf8.decode(bytes);
      this.#at += length;
      return text;
    } catch (error) {
      throw new FormatError(this.file, `${what} is not UTF-8 (at byte ${this.position}).`, { cause: error });
    }
  }

  #checkCount(count: number | bigint, what: string, most: number): number {
    if (typeof count === "bigint" || count > most) return this.fail(`${what} is ${count}, above the limit of ${most}. It is damaged.`);
    return count;
  }
}

function readNumber(view: DataView, kind: NumberKind, at: number): number | bigint {
  switch (kind) {
    case "u8":
      return view.getUint8(at);
    case "i8":
      return view.getInt8(at);
    case "u16":
      return view.getUint16(at, true);
    case "i16":
      return view.getInt16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "f32":
      return view.getFloat32(at, true);
    case "f64":
      return view.getFloat64(at, true);
    case "u64":
      return exact(view.getBigUint64(at, true));
    case "i64":
      return exact(view.getBigInt64(at, true));
  }
}

const exact = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
