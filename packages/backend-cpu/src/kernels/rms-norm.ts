// Launchers of RMSNorm: rows of x [rows, n] are tasks; the weight's gradient sums over rows, so there strips of columns are.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

function layout(x: View): { readonly rows: number; readonly n: number; readonly grain: number } {
  const n = x.shape.at(-1)!;
  return { rows: sizeOf(x.shape.slice(0, -1)), n, grain: Math.max(1, Math.floor(CHUNK / Math.max(n, 1))) };
}

export const rmsNormKernels = {
  rmsNorm: (rt, [x, weight], [y], { epsilon }) => {
    const { rows, n, grain } = layout(x!);
    rt.run("rmsNorm", [rt.pointer(y!), rt.pointer(x!), rt.pointer(weight!), n, epsilon], rows, grain);
  },
  rmsNormGradInput: (rt, [x, weight, dy], [dx], { epsilon }) => {
    const { rows, n, grain } = layout(x!);
    rt.run("rmsNormGradInput", [rt.pointer(dx!), rt.pointer(x!), rt.pointer(weight!), rt.pointer(dy!), n, epsilon], rows, grain);
  },
  rmsNormGradWeight: (rt, [x, , dy], [dw], { epsilon }) => {
    const { rows, n, grain } = layout(x!);
    rt.withRoom(4 * rows, (roots) => {
      rt.run("rmsNormRoots", [roots, rt.pointer(x!), n, epsilon], rows, grain);
      const strips = Math.ceil(n / 8);
      rt.run(
        "rmsNormGradWeight",
        [rt.pointer(dw!), rt.pointer(x!), rt.pointer(dy!), roots, rows, n],
        strips,
        Math.max(1, Math.floor(CHUNK / (8 * rows))),
      );
    });
  },
} satisfies Partial<KernelTable<Runtime>>;
