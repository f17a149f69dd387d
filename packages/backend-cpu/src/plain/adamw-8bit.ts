// One step of AdamW with 8-bit moments in place, with core's reference arithmetic.
import { adamW8BitStep, type KernelTable, type View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { scaledGradient } from "./adamw.ts";

export const adamW8bitKernels = {
  adamW8bit: (host, inputs, outputs, attrs) => {
    const [p, m, v, mMax, vMax, g, gradScale] = inputs as [View, View, View, View, View, View, View];
    const state = { m: { codes: host.u8(m), absmax: host.f32(mMax) }, v: { codes: host.u8(v), absmax: host.f32(vMax) } };
    const next = adamW8BitStep(host.f32(p), scaledGradient(host, g, gradScale), state, attrs);
    const [newP, newM, newV, newMMax, newVMax] = outputs as [View, View, View, View, View];
    host.f32(newP).set(next.parameter);
    host.u8(newM).set(next.m.codes);
    host.u8(newV).set(next.v.codes);
    host.f32(newMMax).set(next.m.absmax);
    host.f32(newVMax).set(next.v.absmax);
  },
} satisfies Partial<KernelTable<Host>>;
