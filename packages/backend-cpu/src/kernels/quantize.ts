// Launchers between f32 and 4 bits. Thresholds and code order come from core, where the formats are told.
import { dynamicMap, formatLevels, type KernelTable, levelOf, midpoints, type QFormat, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { describeQuantized } from "./gemm/describe.ts";
import { weightOf } from "./qmatmul.ts";

const BOUNDS = 512; // word positions in the tables
const CODE_OF = 768;
const MOST_BOUNDS = 15;
const MAP_BOUNDS = midpoints(dynamicMap("signed"));
const WEIGHTS_OF_TASK = 16_384; // about 20 µs

/** Writes a format's thresholds and codes; returns what pads the last byte. */
function describeLevels(rt: Runtime, format: QFormat): { levels: number; pad: number } {
  const { bounds, codes } = formatLevels(format);
  rt.tableFloats.fill(Number.POSITIVE_INFINITY, BOUNDS, BOUNDS + MOST_BOUNDS);
  rt.tableFloats.set(bounds, BOUNDS);
  new Uint8Array(rt.tableWords.buffer, rt.tables + 4 * CODE_OF, 16).set(codes);
  return { levels: bounds.length, pad: codes[levelOf(bounds, 0)]! };
}

export const quantizeKernels = {
  quantize: (rt, inputs, outputs, { format }) => {
    const [x] = inputs as [View];
    const [codes, absmax] = outputs as [View, View];
    const n = sizeOf(x.shape);
    const { levels, pad } = describeLevels(rt, format);
    const tables = [rt.tables + 4 * BOUNDS, levels, rt.tables + 4 * CODE_OF, pad];
    const grain = Math.max(1, Math.floor(WEIGHTS_OF_TASK / format.blockSize));
    const places = [rt.pointer(codes), rt.pointer(absmax), rt.pointer(x)];
    rt.run("quantize", [...places, n, format.blockSize, ...tables], Math.ceil(n / format.blockSize), grain);
  },
  doubleQuantize: (rt, inputs, outputs) => {
    const [absmax] = inputs.map((view) => rt.pointer(view)) as [number];
    const [codes, absmax2, offset] = outputs.map((view) => rt.pointer(view)) as [number, number, number];
    const n = sizeOf(inputs[0]!.shape);
    rt.tableFloats.set(MAP_BOUNDS, BOUNDS);
    rt.run("meanOfScales", [offset, absmax, n]);
    rt.run("quantizeScales", [codes, absmax2, absmax, offset, n, rt.tables + 4 * BOUNDS], Math.ceil(n / 256), 8);
  },
  dequantize: (rt, inputs, outputs, { format }) => {
    const [y] = outputs as [View];
    const n = sizeOf(y.shape);
    const weight = describeQuantized(rt, weightOf(rt, inputs, format, y.shape.at(-1) ?? 1));
    rt.run("dequantize", [rt.pointer(y), weight, n], Math.ceil(n / 4096), 4);
  },
  qembedding: (rt, inputs, outputs, { format }) => {
    const [ids, ...table] = inputs as [View, ...View[]];
    const [y] = outputs as [View];
    const width = y.shape.at(-1)!;
    const weight = describeQuantized(rt, weightOf(rt, table, format, width));
    rt.run("qembedding", [rt.pointer(y), rt.pointer(ids), weight], sizeOf(ids.shape), Math.ceil(WEIGHTS_OF_TASK / Math.max(width, 1)));
  },
} satisfies Partial<KernelTable<Runtime>>;
