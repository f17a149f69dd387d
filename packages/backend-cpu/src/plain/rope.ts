// Rotary positions, halves of a head rotated against each other. x [B, T, H, D], tables [P, R/2], positions [B, T].
import type { KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";

export const ropeKernels = {
  // y[i] = x[i]·c − x[i + R/2]·s     y[i + R/2] = x[i + R/2]·c + x[i]·s     inverse: s = −sin
  rope: (host, inputs, outputs, { inverse }) => {
    const [x, cos, sin, positions] = inputs as [View, View, View, View];
    const [, , heads, size] = x.shape as [number, number, number, number];
    const half = cos.shape[1]!;
    const [xs, c, s, at] = [host.f32(x), host.f32(cos), host.f32(sin), host.i32(positions)];
    const result = host.f32(outputs[0]!);
    result.set(xs); // what lies beyond R stays
    for (let t = 0; t < at.length; t++) {
      for (let h = 0; h < heads; h++) {
        const from = (t * heads + h) * size;
        for (let i = 0; i < half; i++) {
          const cosine = c[at[t]! * half + i]!;
          const sine = inverse ? -s[at[t]! * half + i]! : s[at[t]! * half + i]!;
          const [first, second] = [xs[from + i]!, xs[from + half + i]!];
          result[from + i] = first * cosine - second * sine;
          result[from + half + i] = second * cosine + first * sine;
        }
      }
    }
  },
} satisfies Partial<KernelTable<Host>>;
