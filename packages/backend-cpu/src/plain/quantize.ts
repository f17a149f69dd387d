// From floats to 4 bits and back, with core's reference arithmetic.
import { doubleQuantize, type KernelTable, type QFormat, quantizeBlockwise, undoDoubleQuantize, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";

/** The scales of a quantized tensor's blocks in f32. Its views after the codes: absmax — or absmax codes, absmax of those, offset. */
function scales(host: Host, views: readonly View[]): Float32Array {
  const [first, absmax2, offset] = views as [View, View?, View?];
  if (!absmax2 || !offset) return host.f32(first);
  return undoDoubleQuantize({
    codes: new Uint8Array(),
    absmaxCodes: host.u8(first),
    absmax2: host.f32(absmax2),
    offset: host.f32(offset)[0]!,
  }).absmax;
}

/** Reads weights from a quantized tensor's views: w[i] = codeBook[code of i] · absmax[⌊i / blockSize⌋], rounded to f32. */
export function weightReader(host: Host, views: readonly View[], { codeBook, blockSize }: QFormat): (i: number) => number {
  const codes = host.u8(views[0]!);
  const absmax = scales(host, views.slice(1));
  return (i) => {
    const byte = codes[i >> 1]!;
    return Math.fround(codeBook[i % 2 === 0 ? byte >> 4 : byte & 15]! * absmax[Math.floor(i / blockSize)]!);
  };
}

export const quantizeKernels = {
  quantize: (host, inputs, outputs, { format }) => {
    const [x] = inputs as [View];
    const [codes, absmax] = outputs as [View, View];
    const quantized = quantizeBlockwise(host.f32(x), format);
    host.u8(codes).set(quantized.codes);
    host.f32(absmax).set(quantized.absmax);
  },
  doubleQuantize: (host, inputs, outputs) => {
    const [absmax] = inputs as [View];
    const [codes, absmax2, offset] = outputs as [View, View, View];
    const quantized = doubleQuantize({ codes: new Uint8Array(), absmax: host.f32(absmax) });
    host.u8(codes).set(quantized.absmaxCodes);
    host.f32(absmax2).set(quantized.absmax2);
    host.f32(offset)[0] = quantized.offset;
  },
  dequantize: (host, inputs, outputs, { format }) => {
    const [y] = outputs as [View];
    const weight = weightReader(host, inputs, format);
    const result = host.f32(y);
    for (let i = 0; i < result.length; i++) result[i] = weight(i);
  },
  // y[j] = row ids[j] of the table
  qembedding: (host, inputs, outputs, { format }) => {
    const [ids, ...table] = inputs as [View, ...View[]];
    const [y] = outputs as [View];
    const width = y.shape.at(-1)!;
    const weight = weightReader(host, table, format);
    const rows = host.i32(ids);
    const result = host.f32(y);
    for (let j = 0; j < rows.length; j++) for (let c = 0; c < width; c++) result[j * width + c] = weight(rows[j]! * width + c);
  },
} satisfies Partial<KernelTable<Host>>;
