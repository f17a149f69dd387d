// Dropout with core's numbers (random.ts): element i gets word i mod 2 of Threefry-2x32 at counter (⌊i/2⌋, 0). A thread a counter, so two elements.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import { float, type Gpu } from "../dispatch.ts";

/** Rotations of a group of four rounds, and what is added after it: words of the key by number, and the group's own. */
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const ROUNDS = [1, 2, 3, 4, 5].map((group) => {
  const turns = ROTATIONS[(group - 1) % 2]!.map((r) => `x += y; y = ((y << ${r}u) | (y >> ${32 - r}u)) ^ x;`);
  return `${turns.join(" ")} x += k${group % 3}; y += k${(group + 1) % 3} + ${group}u;`;
});

export const dropoutKernels = {
  // y[i] = ⌊word / 2⁸⌋ < threshold ? 0 : x[i]·keep     threshold = ⌈rate·2²⁴⌉ says of whole numbers what uniform < rate does; keep = 1 / (1 − rate)
  dropout: (gpu, inputs, outputs, { rate, key }) => {
    const [x] = inputs as [View];
    const [y] = outputs as [View];
    const n = sizeOf(x.shape);
    gpu.dispatch({
      name: "dropout",
      reads: { x },
      writes: { y },
      params: { n, k0: key.k0, k1: key.k1, threshold: Math.ceil(rate * 2 ** 24), keep: float(1 / (1 - rate)) },
      grid: { threads: Math.ceil(n / 2) },
      wgsl: () => `fn threefry(counter: u32, k0: u32, k1: u32) -> vec2u {
  let k2 = k0 ^ k1 ^ 0x1bd11bdau;
  var x = counter + k0;
  var y = k1;
  ${ROUNDS.join("\n  ")}
  return vec2u(x, y);
}
fn kept(i: u32, bits: u32) { y[i] = select(x_at(i) * params.keep, 0.0, (bits >> 8u) < params.threshold); }
fn thread(i: u32) {
  let words = threefry(i, params.k0, params.k1);
  kept(2u * i, words.x);
  if (2u * i + 1u < params.n) { kept(2u * i + 1u, words.y); }
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
