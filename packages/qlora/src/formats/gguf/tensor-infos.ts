// The list of tensors in a GGUF header: name, sizes, type, place. A list that passes describes data without overlaps or room outside the file; holes are allowed,
// since each tensor starts at a multiple of the alignment. Source: ggml docs/gguf.md.
import { type Shape, show } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import { TENSOR_TYPES, type TensorType, type TensorTypeName } from "./gguf-types.ts";
import type { HeaderCursor } from "./header-cursor.ts";

/** A tensor as the header describes it. */
export interface TensorInfo {
  readonly type: TensorTypeName;
  /** As elsewhere: rows first. GGUF lists sizes the other way round. */
  readonly shape: Shape;
  /** From the first byte of the data. */
  readonly begin: number;
  readonly end: number;
}

const MAX_TENSORS = 65_536;
const MAX_NAME_BYTES = 1024;
/** `GGML_MAX_DIMS`. */
const MAX_RANK = 4;

const NAMES: ReadonlyMap<number, TensorTypeName> = new Map(
  Object.entries(TENSOR_TYPES).map(([name, { id }]) => [id, name as TensorTypeName]),
);

/**
 * Reads the list.
 * @param count how many the header claims
 * @throws FormatError at the first tensor that cannot be
 */
export async function readTensorInfos(cursor: HeaderCursor, count: number, alignment: number): Promise<ReadonlyMap<string, TensorInfo>> {
  if (count > MAX_TENSORS) cursor.fail(`has ${count} tensors; at most ${MAX_TENSORS} are read.`);
  const tensors = new Map<string, TensorInfo>();
  for (let i = 0; i < count; i++) {
    const name = await cursor.text(`the name of tensor ${i}`, MAX_NAME_BYTES);
    if (tensors.has(name)) cursor.fail(`tensor ${quoted(name)} is there twice.`);
    tensors.set(name, await readInfo(cursor, `tensor ${quoted(name)}`, alignment));
  }
  return tensors;
}

async function readInfo(cursor: HeaderCursor, what: string, alignment: number): Promise<TensorInfo> {
  const rank = await cursor.number("u32", `the rank of ${what}`);
  if (rank > MAX_RANK) cursor.fail(`${what} has ${rank} dimensions; at most ${MAX_RANK} are read.`);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.unshift(await cursor.count(`a size of ${what}`, Number.MAX_SAFE_INTEGER));
  if (shape.includes(0)) cursor.fail(`${what} is empty, ${show(shape)}.`);
  const id = await cursor.number("u32", `the type of ${what}`);
  const type = NAMES.get(id) ?? cursor.fail(`${what} is of type ${id}, which is not known. Make the file with a newer or older llama.cpp.`);
  const begin = await cursor.count(`the place of ${what}`, Number.MAX_SAFE_INTEGER);
  if (begin % alignment !== 0) cursor.fail(`${what} starts at byte ${begin} of the data, no multiple of the alignment ${alignment}.`);
  const bytes = byteLength(shape, TENSOR_TYPES[type]);
  if (typeof bytes === "string") return cursor.fail(`${what}, ${show(shape)} of ${type}, ${bytes}`);
  if (!Number.isSafeInteger(begin + bytes)) cursor.fail(`${what} ends at byte ${begin + bytes}, which is too large.`);
  return { type, shape, begin, end: begin + bytes };
}

/** Bytes of all blocks together, or what is wrong. */
function byteLength(shape: Shape, { blockSize, blockBytes }: TensorType): number | string {
  const row = shape.at(-1) ?? 1;
  if (row % blockSize !== 0) return `has rows that are no multiple of its blocks of ${blockSize}.`;
  let bytes = (row / blockSize) * blockBytes;
  for (const size of shape.slice(0, -1)) if (Number.isSafeInteger(bytes)) bytes *= size;
  return Number.isSafeInteger(bytes) ? bytes : "is too large.";
}

/** @throws FormatError if a tensor leaves the data, or two overlap */
export function checkPlaces(cursor: HeaderCursor, tensors: ReadonlyMap<string, TensorInfo>, dataBytes: number): void {
  const placed = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of placed) {
    if (end > dataBytes) cursor.fail(`tensor ${quoted(name)} ends at byte ${end} of ${dataBytes}. The file is cut short.`);
    if (begin < at) cursor.fail(`tensor ${quoted(name)} starts at byte ${begin}, inside the one before it, which ends at ${at}.`);
    at = end;
  }
}
