// The same values in another element type. Rounding to 16 bits looks at the bits of a float, which a program cannot: that is done on the host.
import { bf16ToNumber, type DType, f16ToNumber, type KernelTable, numberToBf16, numberToF16, sizeOf } from "@qlora-js/core";
import type { Gpu } from "../gpu.ts";
import { type List, program, type Thread } from "../program.ts";

const same = program(function (this: Thread, x: List) {
  return x[this.thread.x]!;
});

// whole numbers are cut towards 0 and stay within their range; NaN becomes 0
const cut = program(function (this: Thread, x: List, low: number, high: number) {
  const value = x[this.thread.x]!;
  if (value !== value) return 0.0;
  if (value <= low) return low;
  if (value >= high) return high;
  return value < 0 ? Math.ceil(value) : Math.floor(value);
});

const rounded = (value: number, dtype: DType): number =>
  dtype === "bf16" ? bf16ToNumber(numberToBf16(value)) : f16ToNumber(numberToF16(value));

export const castKernels = {
  cast: (gpu, [x], [y], { dtype }) => {
    const n = sizeOf(x!.shape);
    if (dtype === "f32") gpu.fill(y!, same, [n], [gpu.values(x!)]);
    else if (dtype === "i32") gpu.fill(y!, cut, [n], [gpu.values(x!), -(2 ** 31), 2 ** 31]);
    else if (dtype === "u8") gpu.fill(y!, cut, [n], [gpu.values(x!), 0, 255]);
    else gpu.onHost(x!, y!, rounded);
  },
} satisfies Partial<KernelTable<Gpu>>;
