// The metadata of a GGUF file: names with values of thirteen types, lists of them, lists of lists. Lists of numbers come as typed arrays.
// A list's claimed length is checked against the bytes that are left before anything is made. Source: ggml docs/gguf.md.
import { quoted } from "../quoted.ts";
import { VALUE_TYPE } from "./gguf-types.ts";
import { type HeaderCursor, NUMBER_BYTES, type NumberKind } from "./header-cursor.ts";

/** A list: of numbers as a typed array (of booleans as bytes), of texts, or of lists. */
export type MetadataList =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array
  | readonly string[]
  | readonly MetadataList[];

/** 64-bit integers are numbers where that is exact. */
export type MetadataValue = number | bigint | boolean | string | MetadataList;

export type Metadata = ReadonlyMap<string, MetadataValue>;

/** A value as a message shows it: a list, which may have a hundred million items, by its length alone. */
export const shown = (value: MetadataValue): string =>
  typeof value === "object" ? `a list of ${value.length}` : quoted(typeof value === "bigint" ? String(value) : value);

/** The format's own limit. */
const MAX_KEY_BYTES = 65_535;
const MAX_KEYS = 65_536;
const MAX_DEPTH = 4;
/** Texts and lists in one header, a bound on the memory that parsing takes; the largest vocabulary in use has 262,144 tokens and 514,906 merges. */
const MAX_ITEMS = 4_000_000;

const KINDS: Readonly<Record<number, NumberKind>> = {
  [VALUE_TYPE.UINT8]: "u8",
  [VALUE_TYPE.INT8]: "i8",
  [VALUE_TYPE.UINT16]: "u16",
  [VALUE_TYPE.INT16]: "i16",
  [VALUE_TYPE.UINT32]: "u32",
  [VALUE_TYPE.INT32]: "i32",
  [VALUE_TYPE.FLOAT32]: "f32",
  [VALUE_TYPE.UINT64]: "u64",
  [VALUE_TYPE.INT64]: "i64",
  [VALUE_TYPE.FLOAT64]: "f64",
};

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/**
 * Reads all names and values.
 * @param count how many the header claims
 * @throws FormatError at the first that is not what the format says, or is there twice
 */
export async function readMetadata(cursor: HeaderCursor, count: number): Promise<Metadata> {
  if (count > MAX_KEYS) cursor.fail(`has ${count} metadata entries; at most ${MAX_KEYS} are read.`);
  const metadata = new Map<string, MetadataValue>();
  const reader = new ValueReader(cursor);
  for (let i = 0; i < count; i++) {
    const key = await cursor.text(`the name of metadata entry ${i}`, MAX_KEY_BYTES);
    if (metadata.has(key)) cursor.fail(`metadata ${quoted(key)} is there twice.`);
    metadata.set(key, await reader.value(`metadata ${quoted(key)}`));
  }
  return metadata;
}

class ValueReader {
  readonly #cursor: HeaderCursor;
  #items = 0;

  constructor(cursor: HeaderCursor) {
    this.#cursor = cursor;
  }

  async value(what: string): Promise<MetadataValue> {
    const cursor = this.#cursor;
    const type = await cursor.number("u32", `the type of ${what}`);
    if (type === VALUE_TYPE.STRING) return cursor.text(what);
    if (type === VALUE_TYPE.ARRAY) return this.#list(what, 1);
    if (type === VALUE_TYPE.BOOL) return (await this.#boolean(what)) === 1;
    const kind = KINDS[type] ?? cursor.fail(`${what} is of type ${type}, which GGUF does not have.`);
    await cursor.need(NUMBER_BYTES[kind], what);
    return cursor.take(kind);
  }

  async #boolean(what: string): Promise<number> {
    const value = await this.#cursor.number("u8", what);
    return value > 1 ? this.#cursor.fail(`${what} is ${value}, neither false (0) nor true (1).`) : value;
  }

  async #list(what: string, depth: number): Promise<MetadataList> {
    const cursor = this.#cursor;
    if (depth > MAX_DEPTH) cursor.fail(`${what} is nested deeper than ${MAX_DEPTH}.`);
    const type = await cursor.number("u32", `the type of ${what}`);
    const kind = type === VALUE_TYPE.BOOL ? "u8" : KINDS[type];
    if (kind) return this.#numbers(what, kind);
    if (type !== VALUE_TYPE.STRING && type !== VALUE_TYPE.ARRAY)
      cursor.fail(`${what} is a list of type ${type}, which GGUF does not have.`);
    // A text takes at least the eight bytes of its length, a list its type too.
    const length = await cursor.count(`the length of ${what}`, Math.floor(cursor.left / (type === VALUE_TYPE.STRING ? 8 : 12)));
    this.#items += length;
    if (this.#items > MAX_ITEMS) cursor.fail(`${what} brings the metadata to more than ${MAX_ITEMS} items.`);
    if (type === VALUE_TYPE.STRING) return this.#texts(what, length);
    const lists: MetadataList[] = [];
    for (let i = 0; i < length; i++) lists.push(await this.#list(what, depth + 1));
    return lists;
  }

  async #texts(what: string, length: number): Promise<readonly string[]> {
    const texts: string[] = [];
    for (let i = 0; i < length; i++) texts.push(this.#cursor.textAtHand(what) ?? (await this.#cursor.text(`${what}, item ${i},`)));
    return texts;
  }

  async #numbers(what: string, kind: NumberKind): Promise<MetadataList> {
    const cursor = this.#cursor;
    const width = NUMBER_BYTES[kind];
    const length = await cursor.count(`the length of ${what}`, Math.floor(cursor.left / width));
    await cursor.need(length * width, what);
    return new ARRAYS[kind](cursor.takeBytes(length * width).buffer);
  }
}
