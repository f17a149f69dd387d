// Launchers of gather and scatter: rows are tasks.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

export const gatherKernels = {
  gather: (rt, [x, index], [y]) =>
    rt.run("gather", [rt.pointer(y!), rt.pointer(x!), rt.pointer(index!), x!.shape.at(-1)!], sizeOf(y!.shape), CHUNK),
  scatter: (rt, [x, index], [y], { size }) =>
    rt.run(
      "scatter",
      [rt.pointer(y!), rt.pointer(x!), rt.pointer(index!), size],
      sizeOf(x!.shape),
      Math.max(1, Math.floor(CHUNK / Math.max(size, 1))),
    ),
} satisfies Partial<KernelTable<Runtime>>;
