// One step of AdamW with moments in 8 bits: widened, AdamW's own step, and the new moments quantized again in blocks of 256.
import { dynamicMap, type KernelTable, MOMENT_BLOCK, midpoints, sizeOf } from "@qlora-js/core";
import type { Sized } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";
import { adamWStep, scaledGradient } from "./adamw.ts";
import { blockLevels, blockScales, fromCodes } from "./blockwise.ts";

/** g − g is 0, but NaN where g is NaN or infinite: such an element takes `instead`. */
const whereFinite = program(function (this: Thread, value: List, g: List, instead: List, factor: number) {
  const grad = g[this.thread.x]!;
  return grad - grad === 0 ? value[this.thread.x]! : instead[this.thread.x]! * factor;
});

// Nearest code, but never across zero: a small negative moment keeps its sign
const withSign = program(function (this: Thread, codes: List, values: List, map: List) {
  const code = codes[this.thread.x]!;
  const value = values[this.thread.x]!;
  if (value < 0 && map[code]! >= 0) return code - 1;
  if (value > 0 && map[code]! < 0) return code + 1;
  return code;
});

export const adamW8bitKernels = {
  adamW8bit: (gpu, [p, m, v, mMax, vMax, g, gradScale], [nextP, nextM, nextV, nextMMax, nextVMax], attrs) => {
    const n = sizeOf(p!.shape);
    const [signed, unsigned] = [dynamicMap("signed"), dynamicMap("unsigned")];
    const old = gpu.values(p!);
    const gradient = scaledGradient(gpu, gpu.values(g!), gpu.values(gradScale!), n);
    const moments = {
      m: fromCodes(gpu, gpu.values(m!), gpu.values(mMax!), signed, n, MOMENT_BLOCK),
      v: fromCodes(gpu, gpu.values(v!), gpu.values(vMax!), unsigned, n, MOMENT_BLOCK),
    };
    const next = adamWStep(gpu, { p: old, ...moments }, gradient, n, attrs);
    const orZero = (moment: Sized): Sized => gpu.run(whereFinite, [n], [moment, gradient, old, 0]);
    const [newM, newV] = [orZero(next.m), orZero(next.v)];
    const [scalesM, scalesV] = [blockScales(gpu, newM, n, MOMENT_BLOCK), blockScales(gpu, newV, n, MOMENT_BLOCK)];
    const nearestM = blockLevels(gpu, newM, scalesM, n, MOMENT_BLOCK, midpoints(signed));
    const codesV = blockLevels(gpu, newV, scalesV, n, MOMENT_BLOCK, midpoints(unsigned));
    gpu.give(nextM!, gpu.run(withSign, [n], [nearestM, newM, signed]));
    gpu.give(nextV!, codesV);
    gpu.give(nextMMax!, scalesM);
    gpu.give(nextVMax!, scalesV);
    gpu.give(nextP!, gpu.run(whereFinite, [n], [next.p, gradient, old, 1]));
  },
} satisfies Partial<KernelTable<Gpu>>;
