// Undoes what the converter to GGUF did to a tensor (see tensor-names.ts), range by range, so that the numbers are Hugging Face's again. Rows that were reordered
// are read a span at a time: a head, or a third of one.
import { FormatError } from "@qlora-js/core";
import { ELEMENT_BYTES, type TensorElements } from "./tensor-elements.ts";
import type { TensorChange } from "./tensor-names.ts";

export interface HeadCounts {
  readonly heads: number;
  readonly kvHeads: number;
}

/**
 * @param where file and tensor, for errors
 * @throws FormatError if the tensor's rows do not divide into heads, or a norm is not of f32
 */
export function undoChange(where: string, elements: TensorElements, change: TensorChange, { heads, kvHeads }: HeadCounts): TensorElements {
  switch (change) {
    case "rotary-query":
      return reordered(where, elements, pairsToHalves(where, elements, heads));
    case "rotary-key":
      return reordered(where, elements, pairsToHalves(where, elements, kvHeads));
    case "heads-apart":
      return reordered(where, elements, headsTogether(where, elements, heads));
    case "transpose":
      return elements.shape.length === 2 ? transposed(elements) : elements;
    case "plus-one":
      return minusOne(where, elements);
  }
}

/** Where each row of the result comes from: span by span, then within a span. */
interface RowOrder {
  readonly spanRows: number;
  readonly sourceSpan: (span: number) => number;
  readonly sourceRow: (row: number) => number;
}

/** HF row (h, j, i) is row (h, i, j) of the file; j is one of two halves, i one of d/2. */
function pairsToHalves(where: string, elements: TensorElements, heads: number): RowOrder {
  const half = rowsEach(where, elements, 2 * heads);
  return { spanRows: 2 * half, sourceSpan: (span) => span, sourceRow: (row) => 2 * (row % half) + Math.floor(row / half) };
}

/** HF row (h, p, i) is row (p, h, i) of the file; p is query, key or value. */
function headsTogether(where: string, elements: TensorElements, heads: number): RowOrder {
  const spanRows = rowsEach(where, elements, 3 * heads);
  return { spanRows, sourceSpan: (span) => (span % 3) * heads + Math.floor(span / 3), sourceRow: (row) => row };
}

function rowsEach(where: string, { shape }: TensorElements, parts: number): number {
  const rows = shape[0] ?? 0;
  if (parts > 0 && rows > 0 && rows % parts === 0) return rows / parts;
  throw new FormatError(where, `has ${rows} rows, which do not divide into ${parts} parts of heads.`);
}

function reordered(where: string, elements: TensorElements, { spanRows, sourceSpan, sourceRow }: RowOrder): TensorElements {
  const rowLength = elements.shape.slice(1).reduce((a, b) => a * b, 1);
  const rowBytes = rowLength * ELEMENT_BYTES[elements.dtype];
  if (elements.shape.length > 2) throw new FormatError(where, `has ${elements.shape.length} dimensions, not two.`);
  return {
    ...elements,
    async read(first, count) {
      const [firstRow, endRow] = [Math.floor(first / rowLength), Math.ceil((first + count) / rowLength)];
      const rows = new Uint8Array((endRow - firstRow) * rowBytes);
      for (let span = Math.floor(firstRow / spanRows); span * spanRows < endRow; ) {
        const source = sourceSpan(span);
        let spans = 1; // neighbours that are neighbours in the file are read together
        while ((span + spans) * spanRows < endRow && sourceSpan(span + spans) === source + spans) spans++;
        const bytes = await elements.read(source * spanRows * rowLength, spans * spanRows * rowLength);
        for (let row = Math.max(firstRow, span * spanRows); row < Math.min(endRow, (span + spans) * spanRows); row++) {
          const inRun = row - span * spanRows;
          const from = (Math.floor(inRun / spanRows) * spanRows + sourceRow(inRun % spanRows)) * rowBytes;
          rows.set(bytes.subarray(from, from + rowBytes), (row - firstRow) * rowBytes);
        }
        span += spans;
      }
      const start = (first - firstRow * rowLength) * ELEMENT_BYTES[elements.dtype];
      const length = count * ELEMENT_BYTES[elements.dtype];
      return length === rows.length ? rows : rows.slice(start, start + length);
    },
  };
}

/** Reads the whole to give a part: matrices that are kept the other way round are read whole. */
function transposed(elements: TensorElements): TensorElements {
  const [rows = 0, columns = 0] = elements.shape;
  const width = ELEMENT_BYTES[elements.dtype];
  const ofWidth = (bytes: Uint8Array<ArrayBuffer>) => (width === 4 ? new Uint32Array(bytes.buffer) : new Uint16Array(bytes.buffer));
  return {
    ...elements,
    shape: [columns, rows],
    async read(first, count) {
      const from = ofWidth(await elements.read(0, rows * columns));
      const out = new Uint8Array(count * width);
      const to = ofWidth(out);
      for (let i = 0; i < count; i++) to[i] = from[((first + i) % rows) * columns + Math.floor((first + i) / rows)]!;
      return out;
    },
  };
}

/** Exact for what was a 16-bit number before 1 was added. */
function minusOne(where: string, elements: TensorElements): TensorElements {
  if (elements.dtype !== "F32") throw new FormatError(where, `is a norm in ${elements.dtype}, not F32.`);
  return {
    ...elements,
    async read(first, count) {
      const bytes = await elements.read(first, count);
      const numbers = new Float32Array(bytes.buffer);
      for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i]! - 1;
      return bytes;
    },
  };
}
