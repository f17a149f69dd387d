// Where the rows of a GGUF tensor come from, where the converter puts them in another order than Hugging Face's. A row of a vector is one number.
// Source: llama.cpp v0.5.0, conversion/llama.py (`permute`), conversion/gptneox.py.
import type { DecoderConfig } from "../../config/decoder-config.ts";
import type { TensorChange } from "../gguf/tensor-names.ts";

type Heads = Pick<DecoderConfig, "heads" | "kvHeads">;

/** For each row of the GGUF tensor, the row of Hugging Face's; undefined where the order is the same. */
export function rowOrder(change: TensorChange | undefined, { heads, kvHeads }: Heads, rows: number): Uint32Array | undefined {
  switch (change) {
    case "rotary-query":
      return pairedRows(rows, heads);
    case "rotary-key":
      return pairedRows(rows, kvHeads);
    case "heads-apart":
      return rowsByPart(rows, heads);
    default:
      return undefined;
  }
}

/** (head, half, i) → (head, i, half): the two numbers that are turned together become neighbours. */
function pairedRows(rows: number, heads: number): Uint32Array {
  const size = rows / heads;
  return Uint32Array.from({ length: rows }, (_, row) => {
    const [head, within] = [Math.floor(row / size), row % size];
    return head * size + (within % 2) * (size / 2) + Math.floor(within / 2);
  });
}

/** (head, part, i) → (part, head, i), the parts being query, key and value. */
function rowsByPart(rows: number, heads: number): Uint32Array {
  const size = rows / (3 * heads);
  return Uint32Array.from({ length: rows }, (_, row) => {
    const part = Math.floor(row / (heads * size));
    const head = Math.floor(row / size) % heads;
    return (3 * head + part) * size + (row % size);
  });
}

/** The rows of a matrix in another order. @param columns of the matrix; 1 for a vector */
export function reordered(values: Float32Array<ArrayBuffer>, columns: number, order: Uint32Array | undefined): Float32Array<ArrayBuffer> {
  if (!order) return values;
  const out = new Float32Array(values.length);
  for (const [to, from] of order.entries()) out.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
  return out;
}
