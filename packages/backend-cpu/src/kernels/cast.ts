// Launcher of cast: between f32 and each other dtype in WebAssembly; any other pair, which no model needs, by the plain kernel.
import { type KernelTable, sizeOf } from "@qlora-js/core";
import { plainKernels } from "../plain/index.ts";
import type { Runtime } from "../runtime.ts";
import { CHUNK } from "./broadcast-plan.ts";
import { DTYPE_CODE } from "./dtype-code.ts";

/** Kernel of each pair, and the arguments that say which. */
const PAIRS: Readonly<Record<string, readonly [kernel: string, ...codes: number[]]>> = {
  "bf16 f32": ["castWiden", DTYPE_CODE.bf16],
  "f16 f32": ["castWiden", DTYPE_CODE.f16],
  "f32 bf16": ["castNarrow", DTYPE_CODE.bf16],
  "f32 f16": ["castNarrow", DTYPE_CODE.f16],
  "i32 f32": ["castI32ToF32"],
  "u8 f32": ["castU8ToF32"],
  "f32 i32": ["castF32ToI32"],
  "f32 u8": ["castF32ToU8"],
};

export const castKernels = {
  cast: (rt, inputs, outputs, attrs) => {
    const [[x], [y]] = [inputs, outputs];
    const pair = PAIRS[`${x!.dtype} ${attrs.dtype}`];
    if (!pair) return plainKernels.cast(rt, inputs, outputs, attrs);
    const [kernel, ...codes] = pair;
    const total = sizeOf(y!.shape);
    rt.run(kernel, [rt.pointer(y!), rt.pointer(x!), ...codes, total, CHUNK], Math.ceil(total / CHUNK));
  },
} satisfies Partial<KernelTable<Runtime>>;
