// What a safetensors file holds, in order, without writing it: the header, then each tensor's bytes. The same tensors always give the same bytes,
// and the same as the safetensors library 0.8 writes.
import { ArgumentError, type Shape, show } from "@qlora-js/core";
import { BITS, dtypeOrder, type SafetensorsDType } from "./safetensors-dtype.ts";
import { MAX_HEADER_BYTES } from "./safetensors-header.ts";

/** A tensor to store: row-major, little-endian. Large ones are given as a function, so that one at a time is in memory. */
export interface TensorToStore {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  /** Its bytes, or what makes them when their turn comes. */
  readonly data: Uint8Array | (() => Uint8Array | Promise<Uint8Array>);
}

/** What transformers and PEFT ask for. */
const PYTORCH_METADATA: Readonly<Record<string, string>> = { format: "pt" };

/**
 * The pieces of the file, one after another: the header, then one tensor a piece. Wider types come first, then names in byte order; the header
 * is padded with spaces to a multiple of eight, so every tensor is aligned to its type.
 * @throws ArgumentError where two tensors have one name, or data are not as long as their shape says
 */
export async function* safetensorsChunks(
  tensors: Iterable<TensorToStore>,
  metadata: Readonly<Record<string, string>> = PYTORCH_METADATA,
): AsyncGenerator<Uint8Array, void> {
  const ordered = inFileOrder(tensors);
  yield encodeHeader(ordered, metadata);
  for (const tensor of ordered) {
    const data = typeof tensor.data === "function" ? await tensor.data() : tensor.data;
    const expected = byteLengthOf(tensor);
    if (data.byteLength !== expected) {
      const what = `"${tensor.name}" ${show(tensor.shape)} of ${tensor.dtype} takes ${expected} bytes, not ${data.byteLength}.`;
      throw new ArgumentError("safetensors", "data", data.byteLength, what);
    }
    yield data;
  }
}

/** The whole file in memory, for small ones and where there are no files. */
export async function encodeSafetensors(
  tensors: Iterable<TensorToStore>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunks(tensors, metadata)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((n, c) => n + c.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function inFileOrder(tensors: Iterable<TensorToStore>): TensorToStore[] {
  const keyed = [...tensors].map((tensor) => ({ tensor, order: dtypeOrder(tensor.dtype), key: new TextEncoder().encode(tensor.name) }));
  return keyed.sort((a, b) => b.order - a.order || compareBytes(a.key, b.key)).map(({ tensor }) => tensor);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function byteLengthOf({ name, dtype, shape }: TensorToStore): number {
  const bits = shape.reduce((n, d) => n * d, BITS[dtype]);
  if (Number.isSafeInteger(bits) && bits >= 0 && bits % 8 === 0) return bits / 8;
  throw new ArgumentError("safetensors", "shape", shape, `"${name}" ${show(shape)} of ${dtype} cannot be stored.`);
}

function encodeHeader(ordered: readonly TensorToStore[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const names = new Set(["__metadata__"]);
  const keys = Object.keys(metadata).sort();
  const parts = keys.length > 0 ? [`"__metadata__":${JSON.stringify(metadata, keys)}`] : [];
  let at = 0;
  for (const tensor of ordered) {
    const { name, dtype, shape } = tensor;
    if (names.has(name)) throw new ArgumentError("safetensors", "name", name, `"${name}" is there twice.`);
    names.add(name);
    const end = at + byteLengthOf(tensor);
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, end] })}`);
    at = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES)
    throw new ArgumentError("safetensors", "tensors", ordered.length, `the header would take ${padded} bytes.`);
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return header;
}
