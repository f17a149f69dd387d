// Rotary positions, halves of a head rotated against each other. x [B, T, H, D], tables [P, R/2], positions [B, T].
import type { KernelTable } from "@qlora-js/core";
import { whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";

// y[i] = x[i]·c − x[i + R/2]·s     y[i + R/2] = x[i + R/2]·c + x[i]·s     sign: −1 turns back. A row is one head of one position; what lies beyond R stays
const turned = program(function (
  this: Thread,
  x: Matrix,
  cos: Matrix,
  sin: Matrix,
  positions: List,
  heads: number,
  half: number,
  sign: number,
) {
  const i = this.thread.x;
  const row = this.thread.z;
  const position = positions[Math.floor((row + 0.5) / heads)]!;
  if (i < half) return x[row]![i]! * cos[position]![i]! - x[row]![i + half]! * sin[position]![i]! * sign;
  if (i < 2 * half) return x[row]![i]! * cos[position]![i - half]! + x[row]![i - half]! * sin[position]![i - half]! * sign;
  return x[row]![i]!;
});

export const ropeKernels = {
  rope: (gpu, [x, cos, sin, positions], [y], { inverse }) => {
    const [batch, time, heads, size] = x!.shape as [number, number, number, number];
    const [count, half] = cos!.shape as [number, number];
    const rows = batch * time * heads;
    const tables = [gpu.values(cos!, [half, count]), gpu.values(sin!, [half, count])];
    const args = [gpu.values(x!, [size, rows]), ...tables, gpu.values(positions!), whole(heads), whole(half), inverse ? -1 : 1];
    gpu.fill(y!, turned, [size, rows], args);
  },
} satisfies Partial<KernelTable<Gpu>>;
