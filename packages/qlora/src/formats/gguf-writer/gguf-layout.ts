// What a GGUF file holds, in order, without writing it: magic, version, counts, metadata, the table of tensors, then each tensor's bytes at a multiple of
// the alignment. Version 3, little-endian (ggml docs/gguf.md). The same contents always give the same bytes.
import { ArgumentError, type Shape, show } from "@qlora-js/core";
import { GGUF_ALIGNMENT, GGUF_MAGIC, GGUF_VERSION, TENSOR_TYPES, type TensorTypeName, VALUE_TYPE } from "../gguf/gguf-types.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { GgufList, GgufMetadata, GgufValue } from "./gguf-value.ts";

/** A tensor to write: row-major. Its bytes come in pieces, each made when its turn comes, so that no tensor need be in memory whole. */
export interface GgufTensor {
  readonly name: string;
  readonly type: TensorTypeName;
  /** As everywhere here, slowest axis first; the file says them the other way round. */
  readonly shape: Shape;
  /** Makes its bytes anew each time it is called. */
  readonly pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** ggml tensors have up to four axes, and names of up to 63 bytes (`GGML_MAX_DIMS`, `GGML_MAX_NAME`). */
const MAX_AXES = 4;
const MAX_NAME_BYTES = 63;

/**
 * The pieces of the file, one after another.
 * @throws ArgumentError where two tensors have one name, or a tensor's bytes are not as many as its shape says
 */
export async function* ggufChunks(metadata: GgufMetadata, tensors: readonly GgufTensor[]): AsyncGenerator<Uint8Array, void> {
  yield header(metadata, tensors);
  for (const tensor of tensors) {
    const expected = tensorBytes(tensor);
    let given = 0;
    for await (const piece of tensor.pieces()) {
      given += piece.byteLength;
      yield piece;
    }
    if (given !== expected) {
      const what = `"${tensor.name}" ${show(tensor.shape)} of ${tensor.type} takes ${expected} bytes, not ${given}.`;
      throw new ArgumentError("gguf", "pieces", given, what);
    }
    const padding = aligned(expected) - expected;
    if (padding > 0) yield new Uint8Array(padding);
  }
}

/** Bytes that a tensor takes. @throws ArgumentError unless its rows are whole blocks */
export function tensorBytes({ name, type, shape }: Pick<GgufTensor, "name" | "type" | "shape">): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  const row = shape.at(-1) ?? 1;
  if (row % blockSize !== 0)
    throw new ArgumentError(
      "gguf",
      "shape",
      shape,
      `"${name}" ${show(shape)} has rows of ${row}, not a multiple of ${blockSize} (${type}).`,
    );
  return (shape.reduce((n, d) => n * d, 1) / blockSize) * blockBytes;
}

const aligned = (bytes: number): number => Math.ceil(bytes / GGUF_ALIGNMENT) * GGUF_ALIGNMENT;

function header(metadata: GgufMetadata, tensors: readonly GgufTensor[]): Uint8Array {
  const to = new ByteWriter();
  to.u32(GGUF_MAGIC);
  to.u32(GGUF_VERSION);
  to.u64(tensors.length);
  to.u64(metadata.size);
  for (const [key, value] of metadata) {
    to.text(key);
    writeValue(to, value);
  }
  let offset = 0;
  const names = new Set<string>();
  for (const tensor of tensors) {
    checkName(tensor, names);
    to.text(tensor.name);
    to.u32(tensor.shape.length);
    for (const size of [...tensor.shape].reverse()) to.u64(size);
    to.u32(TENSOR_TYPES[tensor.type].id);
    to.u64(offset);
    offset += aligned(tensorBytes(tensor));
  }
  to.align(GGUF_ALIGNMENT);
  return to.bytes();
}

function checkName({ name, shape }: GgufTensor, names: Set<string>): void {
  if (names.has(name)) throw new ArgumentError("gguf", "name", name, `"${name}" is there twice.`);
  names.add(name);
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES)
    throw new ArgumentError("gguf", "name", name, `"${name}" is longer than the ${MAX_NAME_BYTES} bytes that a name may have.`);
  if (shape.length < 1 || shape.length > MAX_AXES)
    throw new ArgumentError("gguf", "shape", shape, `"${name}" ${show(shape)} has ${shape.length} axes; 1 to ${MAX_AXES} can be stored.`);
}

function writeValue(to: ByteWriter, given: GgufValue): void {
  to.u32("values" in given ? VALUE_TYPE.ARRAY : TYPES[given.type]);
  if ("values" in given) writeList(to, given);
  else if (given.type === "uint32") to.u32(given.value);
  else if (given.type === "float32") to.f32(given.value);
  else if (given.type === "bool") to.u8(given.value ? 1 : 0);
  else to.text(given.value);
}

function writeList(to: ByteWriter, given: GgufList): void {
  to.u32(TYPES[given.type]);
  to.u64(given.values.length);
  if (given.type === "int32s") for (const x of given.values) to.i32(x);
  else if (given.type === "float32s") for (const x of given.values) to.f32(x);
  else if (given.type === "bools") for (const x of given.values) to.u8(x ? 1 : 0);
  else for (const x of given.values) to.text(x);
}

/** Of a value, or of a list's elements. */
const TYPES = {
  uint32: VALUE_TYPE.UINT32,
  float32: VALUE_TYPE.FLOAT32,
  bool: VALUE_TYPE.BOOL,
  string: VALUE_TYPE.STRING,
  int32s: VALUE_TYPE.INT32,
  float32s: VALUE_TYPE.FLOAT32,
  bools: VALUE_TYPE.BOOL,
  strings: VALUE_TYPE.STRING,
} as const satisfies Record<GgufValue["type"], number>;
