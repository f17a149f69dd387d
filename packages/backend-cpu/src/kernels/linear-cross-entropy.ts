// Launcher of the head with its loss. The vocabulary is cut into parts, which are tasks; rows go in chunks, so that what the parts gather stays a few MB.
import type { KernelTable, View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { DTYPE_CODE, type FloatDType } from "./dtype-code.ts";

/** Logits and rows of a block, as in the kernel. */
const BLOCK = 128;
const BLOCK_ROWS = 40;
/** Rows of a task of packing, as in pack-rows.as.ts. */
const PACK_ROWS = 40;
/** Parts of the vocabulary: enough to keep eight threads busy; fixed, so that results do not depend on the number of threads. */
const MOST_PARTS = 8;
/** Rows of a chunk: at least so many, to earn the packing of the head; at most so many, or what fits in the bytes. */
const ROWS = { least: 32, most: 256, bytes: 8 * 2 ** 20 };

export const linearCrossEntropyKernels = {
  linearCrossEntropy: (rt, inputs, outputs, { withGradient, softcap }) => {
    const [x, weight, targets] = inputs as [View, View, View];
    const [rows, n] = x.shape as [number, number];
    const vocabulary = weight.shape[0]!;
    const [xAt, w, targetsAt] = [x, weight, targets].map((view) => rt.pointer(view)) as [number, number, number];
    const [loss, gradient] = outputs.map((view) => rt.pointer(view)) as [number, number];
    const code = DTYPE_CODE[weight.dtype as FloatDType];
    const part = BLOCK * Math.ceil(vocabulary / BLOCK / MOST_PARTS);
    const parts = Math.ceil(vocabulary / part);
    const wide = Math.ceil(n / 8) * 8;
    const fitting = Math.floor(ROWS.bytes / (parts * wide * 16)) * 4;
    const chunk = Math.min(Math.max(fitting, ROWS.least), ROWS.most, rows);
    const spare = Math.ceil(chunk / 4) * 4;
    const roomBytes = 4 * (BLOCK * n + (withGradient ? BLOCK * wide : 0) + 2 * BLOCK_ROWS * BLOCK + BLOCK_ROWS);
    const work = Math.ceil(roomBytes / 64) * 64;
    const sizes = [work, 4 * spare * parts, 8 * spare * parts, withGradient ? 4 * spare * wide * parts : 0].map(
      (b) => Math.ceil(b / 64) * 64,
    );
    const tileBytes = 4 * (chunk + 3) * n;
    const bytes = parts * work + sizes[1]! + sizes[2]! + sizes[3]! + 4 * chunk + tileBytes;
    if (rows === 0) return;
    rt.withRoom(bytes, (room) => {
      const maxima = room + parts * work;
      const totals = maxima + sizes[1]!;
      const gathered = totals + sizes[2]!;
      const logits = gathered + sizes[3]!;
      const tiles = logits + 4 * chunk;
      const sums = withGradient ? gathered : 0;
      for (let r = 0; r < rows; r += chunk) {
        const R = Math.min(chunk, rows - r);
        const at = targetsAt + 4 * r;
        rt.run("packRows", [tiles, xAt + 4 * r * n, 4 * n, 0, R, n, R - (R % 5)], Math.ceil(R / PACK_ROWS));
        const places = [w, code, at, maxima, totals, sums, logits];
        rt.run("linearCrossEntropy", [tiles, ...places, room, work, R, vocabulary, n, part, softcap ?? 0], parts);
        const u = withGradient ? gradient + 4 * r * n : 0;
        rt.run("linearCrossEntropyJoin", [loss + 4 * r, u, ...places, R, n, parts, softcap ?? 0], R, 4);
      }
    });
  },
} satisfies Partial<KernelTable<Runtime>>;
