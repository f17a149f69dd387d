// Rotary positions, halves of a head rotated against each other: x [B, T, H, D], tables [P, R/2], positions [B, T]. A thread an element.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";

export const ropeKernels = {
  // y[i] = x[i]·c − x[i + R/2]·s     y[i + R/2] = x[i + R/2]·c + x[i]·s     inverse: s = −sin     beyond R: y = x
  rope: (gpu, inputs, outputs, { inverse }) => {
    const [x, cosines, sines, positions] = inputs as [View, View, View, View];
    const [y] = outputs as [View];
    const [, , heads, size] = x.shape as [number, number, number, number];
    gpu.dispatch({
      name: "rope",
      reads: { x, cosines, sines, positions },
      writes: { y },
      params: { token: heads * size, size, half: cosines.shape[1]!, direction: float(inverse ? -1 : 1) },
      grid: { threads: sizeOf(x.shape) },
      wgsl: () => `fn thread(i: u32) {
  let d = i % params.size;
  if (d >= 2u * params.half) { y[i] = x_at(i); return; }
  let first = d < params.half;
  let at = u32(positions[i / params.token]) * params.half + select(d - params.half, d, first);
  let other = x_at(select(i - params.half, i + params.half, first));
  y[i] = x_at(i) * cosines_at(at) + select(other, -other, first) * params.direction * sines_at(at);
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
