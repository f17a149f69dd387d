// The header of a safetensors file: JSON that says, for each tensor, its type, shape and place. Trusts nothing: a header that passes describes
// data without holes, overlaps or room outside the file. Format: huggingface/safetensors README.
import { FormatError, type Shape, show } from "@qlora-js/core";
import { quoted } from "./quoted.ts";
import { BITS, isSafetensorsDType, type SafetensorsDType } from "./safetensors-dtype.ts";

/** The format's own limit on the header. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Structural characters of a header; about 250,000 tensors. A bound on the memory that parsing it takes. */
const MAX_TOKENS = 4_000_000;
const MAX_DEPTH = 16;
const MAX_RANK = 64;
/** Characters by their codes: a header may have a hundred million. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where a tensor is; `begin` and `end` count from the first byte after the header. */
export interface TensorEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/**
 * Parses and checks a header.
 * @param file name for errors
 * @param json the header's bytes, without the eight that hold its length
 * @param dataBytes how many bytes follow it
 * @throws FormatError with the tensor's name and values at the first thing that is wrong
 */
export function parseSafetensorsHeader(file: string, json: Uint8Array, dataBytes: number): SafetensorsHeader {
  const header = parseJson(file, json);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, parseEntry(file, name, value));
    else for (const [key, text] of parseMetadata(file, value)) metadata.set(key, text);
  }
  checkPlaces(file, tensors, dataBytes);
  return { metadata, tensors };
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

function parseJson(file: string, json: Uint8Array): JsonObject {
  if (json[0] !== 0x7b) throw new FormatError(file, "the header does not start with {. This is not a safetensors file.");
  let text: string;
  let header: unknown;
  let names: [number, number];
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(json);
  } catch (error) {
    throw new FormatError(file, "the header is not UTF-8.", { cause: error });
  }
  try {
    names = countNames(file, text);
    header = JSON.parse(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(file, `the header is not JSON (${(error as Error).message}).`, { cause: error });
  }
  if (!isObject(header)) throw new FormatError(file, "the header is not an object.");
  const inner = Object.values(header).reduce<number>((n, value) => n + (isObject(value) ? Object.keys(value).length : 0), 0);
  if (names[0] !== Object.keys(header).length || names[1] !== inner) throw new FormatError(file, "the header holds a name twice.");
  return header;
}

/** Names at the outer two levels, by counting colons outside strings: JSON.parse keeps the last of two equal names and tells no one. */
function countNames(file: string, text: string): [outer: number, inner: number] {
  let [outer, inner, depth, tokens] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === 0x7b || c === 0x5b)
      depth++; // { [
    else if (c === 0x7d || c === 0x5d)
      depth--; // } ]
    else if (c === 0x3a) {
      if (depth === 1)
        outer++; // :
      else if (depth === 2) inner++;
    } else if (c !== 0x2c) continue; // ,
    tokens++;
    if (depth > MAX_DEPTH) throw new FormatError(file, `the header is nested deeper than ${MAX_DEPTH}.`);
    if (tokens > MAX_TOKENS) throw new FormatError(file, `the header has more than ${MAX_TOKENS} parts.`);
  }
  return [outer, inner];
}

/** Position of the quote that ends the string whose first quote is at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i;
  }
  return text.length;
}

function parseMetadata(file: string, value: unknown): [string, string][] {
  const entries = isObject(value) ? Object.entries(value) : undefined;
  const bad = entries ? entries.find(([, text]) => typeof text !== "string") : ["__metadata__", value];
  if (bad) throw new FormatError(file, `"__metadata__" maps names to strings; ${quoted(bad[0])} is ${quoted(bad[1])}.`);
  return entries as [string, string][];
}

function parseEntry(file: string, name: string, value: unknown): TensorEntry {
  const fail = (what: string): never => {
    throw new FormatError(file, `tensor ${quoted(name)}: ${what}`);
  };
  if (!isObject(value)) return fail(`is ${quoted(value)}, not an object.`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isSafetensorsDType(dtype)) return fail(`dtype ${quoted(dtype)} is not one of ${Object.keys(BITS).join(", ")}.`);
  const whole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(whole)) return fail(`shape ${quoted(shape)} is not a list of whole numbers.`);
  if (shape.length > MAX_RANK) return fail(`has ${shape.length} dimensions; at most ${MAX_RANK} are read.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole))
    return fail(`data_offsets ${quoted(offsets)} are not two whole numbers.`);
  const [begin, end] = offsets as [number, number];
  const bits = bitsOf(shape, dtype);
  if (bits === undefined) return fail(`shape ${show(shape)} is too large.`);
  if (bits % 8 !== 0) return fail(`${show(shape)} of ${dtype} does not end on a whole byte.`);
  if (end - begin !== bits / 8)
    return fail(`${show(shape)} of ${dtype} takes ${bits / 8} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}.`);
  return { dtype, shape: shape.map((d) => d + 0), begin, end }; // -0 is a whole number too; as a size it is 0
}

/** Bits of all elements together, or undefined beyond what a number holds exactly. */
function bitsOf(shape: Shape, dtype: SafetensorsDType): number | undefined {
  let bits: number = BITS[dtype];
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits;
}

/** Laid end to end, the tensors must fill the data exactly. */
function checkPlaces(file: string, tensors: ReadonlyMap<string, TensorEntry>, dataBytes: number): void {
  const placed = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of placed) {
    if (end > dataBytes) throw new FormatError(file, `tensor ${quoted(name)} ends at byte ${end} of ${dataBytes}. The file is cut short.`);
    if (begin < at)
      throw new FormatError(file, `tensor ${quoted(name)} starts at byte ${begin}, inside the one before it, which ends at ${at}.`);
    if (begin > at) throw new FormatError(file, `tensor ${quoted(name)} starts at byte ${begin}, leaving a hole after ${at}.`);
    at = end;
  }
  if (at !== dataBytes) throw new FormatError(file, `the tensors end at byte ${at}, but the file has ${dataBytes} bytes of data.`);
}
