// The fields of a Protocol Buffers message, one after the other, as they stand in its bytes. No schema here: who reads knows the numbers of the fields.
// Source: protobuf.dev, "Encoding". Lengths are checked against the bytes there are before anything is taken; groups (deprecated) are refused.
import { FormatError } from "@qlora-js/core";

/** A field: its number, and its value by the kind of encoding. */
export interface ProtobufField {
  readonly number: number;
  /** Of varints: an exact number up to 2^53, larger ones rounded (negative ones are such). */
  readonly varint?: number;
  /** Of texts, bytes, messages: a view, not a copy. */
  readonly bytes?: Uint8Array;
  /** Of 32-bit values. */
  readonly float?: number;
}

/**
 * @throws FormatError naming `file` where the bytes are no message
 */
export function* protobufFields(file: string, bytes: Uint8Array): Generator<ProtobufField> {
  const cursor = new Cursor(file, bytes);
  while (!cursor.done) {
    const tag = cursor.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, varint: cursor.varint() };
        break;
      case 1:
        cursor.take(8);
        yield { number };
        break;
      case 2:
        yield { number, bytes: cursor.take(cursor.varint()) };
        break;
      case 5: {
        const four = cursor.take(4);
        yield { number, float: new DataView(four.buffer, four.byteOffset, 4).getFloat32(0, true) };
        break;
      }
      default:
        throw cursor.broken(`a field of wire type ${tag % 8}`);
    }
  }
}

/** A varint has at most this many bytes. */
const LONGEST_VARINT = 10;

class Cursor {
  #at = 0;

  constructor(
    readonly file: string,
    readonly bytes: Uint8Array,
  ) {}

  get done(): boolean {
    return this.#at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) throw this.broken("a number that is cut off");
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw this.broken(`a number of more than ${LONGEST_VARINT} bytes`);
  }

  take(length: number): Uint8Array {
    const left = this.bytes.length - this.#at;
    if (length > left) throw this.broken(`a field of ${length} bytes, where ${left} are left`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  broken(what: string): FormatError {
    return new FormatError(this.file, `is no Protocol Buffers message: it has ${what}, before byte ${this.#at}.`);
  }
}
