// Head and loss in one: logits, their shifted sums, then the loss of each row and its gradient by x. The logits of some rows at a time are a matrix of the device;
// `first` is the first of those rows.
import type { KernelTable } from "@qlora-js/core";
import { type Sized, whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";
import { endToEnd } from "./concat.ts";
import { shiftedSums } from "./softmax.ts";

/** 16 MB of them; all at once with a small vocabulary. */
const LOGITS_AT_A_TIME = 2 ** 22;

// z = x·Wᵀ, or cap·tanh(x·Wᵀ / cap); cap 0: none. tanh a = 1 − 2 / (e^2a + 1)
const logits = program(function (this: Thread, x: Matrix, w: Matrix, first: number, n: number, cap: number) {
  let z = 0.0;
  for (let i = 0; i < n; i++) z += x[this.thread.z + first]![i]! * w[this.thread.x]![i]!;
  if (cap > 0) z = cap * (1 - 2 / (Math.exp((2 * z) / cap) + 1));
  return z;
});

// loss[r] = ln Σ_v e^z[r, v] − z[r, target]
const lossOfRow = program(function (this: Thread, z: Matrix, largest: List, sum: List, targets: List, first: number) {
  const row = this.thread.x;
  return largest[row]! - z[row]![targets[row + first]!]! + Math.log(sum[row]!);
});

// u[r, i] = Σ_v (softmax(z[r])[v] − [v = target])·dz/ds·W[v, i], with dz/ds = 1 − (z / cap)² under a cap
const gradient = program(function (
  this: Thread,
  z: Matrix,
  largest: List,
  sum: List,
  targets: List,
  w: Matrix,
  first: number,
  vocabulary: number,
  cap: number,
) {
  const row = this.thread.z;
  let total = 0.0;
  for (let v = 0; v < vocabulary; v++) {
    const logit = z[row]![v]!;
    let p = Math.exp(logit - largest[row]!) / sum[row]!;
    if (targets[row + first]! === v) p -= 1;
    if (cap > 0) p *= 1 - (logit / cap) * (logit / cap);
    total += p * w[v]![this.thread.x]!;
  }
  return total;
});

export const linearCrossEntropyKernels = {
  linearCrossEntropy: (gpu, [x, weight, targets], [loss, u], { withGradient, softcap }) => {
    const [rows, n] = x!.shape as [number, number];
    const vocabulary = weight!.shape[0]!;
    const [xs, w, target] = [gpu.values(x!, [n, rows]), gpu.values(weight!, [n, vocabulary]), gpu.values(targets!)];
    const cap = softcap ?? 0;
    const losses: Sized[] = [];
    const gradients: Sized[] = [];
    const most = Math.max(1, Math.floor(LOGITS_AT_A_TIME / vocabulary));
    for (let start = 0; start === 0 || start < rows; start += most) {
      const [count, first] = [Math.min(most, rows - start), whole(start)];
      const z = gpu.run(logits, [vocabulary, count], [xs, w, first, whole(n), cap]);
      const { largest, sum } = shiftedSums(gpu, z, count, vocabulary);
      losses.push(gpu.run(lossOfRow, [count], [z, largest, sum, target, first]));
      if (withGradient) gradients.push(gpu.run(gradient, [n, count], [z, largest, sum, target, w, first, whole(vocabulary), cap]));
      gpu.drop(z);
    }
    gpu.give(loss!, endToEnd(gpu, losses));
    if (withGradient) gpu.give(u!, endToEnd(gpu, gradients));
  },
} satisfies Partial<KernelTable<Gpu>>;
