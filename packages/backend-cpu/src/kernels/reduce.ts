// Launchers of sums and maxima. Axes side by side that are all kept or all reduced are one axis; what remains is [kept, reduced, kept, reduced] with any of
// them 1 in nearly all cases, and the plain kernel's in the others.
import { type Kernel, type KernelTable, type Shape, sizeOf, type View } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";
import { runBinary } from "./elementwise.ts";

/** Kept outside, reduced, kept, reduced inside. */
type Layout = readonly [K0: number, R0: number, K1: number, R1: number];

function layoutOf(small: Shape, large: Shape): Layout | null {
  const lead = large.length - small.length;
  const layout: [number, number, number, number] = [1, 1, 1, 1];
  let at = 0;
  for (const [d, size] of large.entries()) {
    if (size === 1) continue;
    const reduced = d < lead || small[d - lead] === 1;
    if ((at % 2 === 1) !== reduced) at++;
    if (at > 3) return null;
    layout[at]! *= size;
  }
  // what was kept inside and has nothing reduced behind it, or nothing kept before it, reads the same one place further in or out
  const [K0, R0, K1, R1] = layout;
  return K1 === 1 && R1 === 1 ? [K0, 1, 1, R0] : layout;
}

/** Runs longer than two pieces, where there are few of them, are summed in pieces. */
const PIECE = CHUNK;
const FEW_RUNS = 16;

function sumTo(rt: Runtime, x: View, y: View, [K0, R0, K1, R1]: Layout): void {
  const [to, from] = [rt.pointer(y), rt.pointer(x)];
  const grain = (work: number): number => Math.max(1, Math.floor(CHUNK / Math.max(work, 1)));
  const runs = K0 * K1;
  if (R1 === 1) rt.run("sumColumns", [to, from, R0, K1], K0 * Math.ceil(K1 / 8), grain(8 * R0));
  else if (R0 === 1 && runs < FEW_RUNS && R1 > 2 * PIECE) {
    const pieces = Math.ceil(R1 / PIECE);
    rt.withRoom(8 * runs * pieces, (totals) => {
      rt.run("sumPieces", [totals, from, R1, PIECE, pieces], runs * pieces);
      rt.run("sumOfPieces", [to, totals, pieces], runs, runs);
    });
  } else rt.run("sumRuns", [to, from, R0, K1, R1], runs, grain(R0 * R1));
}

function maxTo(rt: Runtime, x: View, y: View, [K0, R0, K1, R1]: Layout): void {
  const [to, from] = [rt.pointer(y), rt.pointer(x)];
  const grain = (work: number): number => Math.max(1, Math.floor(CHUNK / Math.max(work, 1)));
  if (R1 === 1) rt.run("maxColumns", [to, from, R0, K1], K0 * Math.ceil(K1 / 8), grain(8 * R0));
  else rt.run("maxRuns", [to, from, R0, K1, R1], K0 * K1, grain(R0 * R1));
}

const fold =
  (op: "sumTo" | "maxTo", run: (rt: Runtime, x: View, y: View, layout: Layout) => void): Kernel<Runtime, { readonly shape: Shape }> =>
  (rt, inputs, outputs, attrs) => {
    const [[x], [y]] = [inputs, outputs];
    const layout = layoutOf(y!.shape, x!.shape);
    const plain: Kernel<Runtime, { readonly shape: Shape }> = plainKernels[op];
    if (layout && sizeOf(x!.shape) > 0) run(rt, x!, y!, layout);
    else plain(rt, inputs, outputs, attrs);
  };

export const reduceKernels = {
  sumTo: fold("sumTo", sumTo),
  maxTo: fold("maxTo", maxTo),
  broadcastTo: (rt, [x], [y]) => runBinary(rt, "first", [x!, x!], y!),
  argmax: (rt, [x], [y]) => {
    const n = x!.shape.at(-1)!;
    rt.run("argmax", [rt.pointer(y!), rt.pointer(x!), n], sizeOf(y!.shape), Math.max(1, Math.floor(CHUNK / n)));
  },
} satisfies Partial<KernelTable<Runtime>>;
