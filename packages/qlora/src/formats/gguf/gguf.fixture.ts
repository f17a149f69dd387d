// GGUF files for tests, written field by field so that any field can be wrong. Not the product's writer: what it writes need not be a sound file.
import { GGUF_MAGIC, TENSOR_TYPES, type TensorTypeName, VALUE_TYPE } from "./gguf-types.ts";

export type FixtureType = Lowercase<keyof typeof VALUE_TYPE>;

/** A metadata entry: name, type, value. A list's type is `["string"]`, a list of lists' `[["u8"]]`. */
export type FixtureEntry = readonly [key: string, type: FixtureValueType, value: unknown];
export type FixtureValueType = FixtureType | readonly [FixtureValueType];

export interface FixtureTensor {
  readonly name: string;
  /** A number for types that do not exist. */
  readonly type: TensorTypeName | number;
  /** Rows first. */
  readonly shape: readonly (number | bigint)[];
  readonly data: Uint8Array;
  /** Where the header says it starts, if not where it does. */
  readonly offset?: number | bigint;
}

export interface FixtureFile {
  readonly magic?: number;
  readonly version?: number;
  readonly entries?: readonly FixtureEntry[];
  readonly tensors?: readonly FixtureTensor[];
  /** What the header says, if not how many there are. */
  readonly entryCount?: bigint;
  readonly tensorCount?: bigint;
  readonly alignment?: number;
}

/** The file's bytes. */
export function ggufBytes(file: FixtureFile): Uint8Array<ArrayBuffer> {
  const { entries = [], tensors = [], alignment = 32 } = file;
  const out = new Bytes();
  out.uint(file.magic ?? GGUF_MAGIC, 4);
  out.uint(file.version ?? 3, 4);
  out.uint(file.tensorCount ?? BigInt(tensors.length), 8);
  out.uint(file.entryCount ?? BigInt(entries.length), 8);
  for (const [key, type, value] of entries) {
    out.text(key);
    out.typedValue(type, value);
  }
  let at = 0;
  for (const { name, type, shape, data, offset } of tensors) {
    out.text(name);
    out.uint(shape.length, 4);
    for (const size of shape.toReversed()) out.uint(size, 8);
    out.uint(typeof type === "number" ? type : TENSOR_TYPES[type].id, 4);
    out.uint(offset ?? at, 8);
    at = Math.ceil((at + data.length) / alignment) * alignment;
  }
  for (const { data } of tensors) {
    out.pad(alignment);
    out.raw(data);
  }
  return out.bytes();
}

const WIDTHS: Readonly<Record<string, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
};

class Bytes {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  uint(value: number | bigint, width: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    this.raw(bytes.subarray(0, width));
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.uint(bytes.length, 8);
    this.raw(bytes);
  }

  typedValue(type: FixtureValueType, value: unknown): void {
    this.uint(typeof type === "string" ? VALUE_TYPE[type.toUpperCase() as keyof typeof VALUE_TYPE] : VALUE_TYPE.ARRAY, 4);
    this.#value(type, value);
  }

  #value(type: FixtureValueType, value: unknown): void {
    if (typeof type !== "string") this.#list(type[0], value as readonly unknown[]);
    else if (type === "string") this.text(value as string);
    else if (type === "float32") this.raw(new Uint8Array(Float32Array.of(value as number).buffer));
    else if (type === "float64") this.raw(new Uint8Array(Float64Array.of(value as number).buffer));
    else this.uint(typeof value === "boolean" ? Number(value) : (value as number | bigint), WIDTHS[type]!);
  }

  #list(type: FixtureValueType, items: readonly unknown[]): void {
    this.uint(typeof type === "string" ? VALUE_TYPE[type.toUpperCase() as keyof typeof VALUE_TYPE] : VALUE_TYPE.ARRAY, 4);
    this.uint(items.length, 8);
    for (const item of items) this.#value(type, item);
  }

  pad(alignment: number): void {
    this.raw(new Uint8Array(Math.ceil(this.#length / alignment) * alignment - this.#length));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
