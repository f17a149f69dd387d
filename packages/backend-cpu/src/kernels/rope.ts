// Launcher of the rotary positions: (batch, time) pairs are tasks.
import type { KernelTable, View } from "@qlora-js/core";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";

export const ropeKernels = {
  rope: (rt, inputs, [y], { inverse }) => {
    const [x, cos, sin, positions] = inputs as [View, View, View, View];
    const [batch, time, heads, size] = x.shape as [number, number, number, number];
    const pointers = [y!, x, cos, sin, positions].map((view) => rt.pointer(view));
    rt.run(
      "rope",
      [...pointers, heads, size, cos.shape[1]!, inverse ? -1 : 1],
      batch * time,
      Math.max(1, Math.floor(CHUNK / Math.max(heads * size, 1))),
    );
  },
} satisfies Partial<KernelTable<Runtime>>;
