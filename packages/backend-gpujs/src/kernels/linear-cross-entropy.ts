// Head and loss in one: logits, their shifted sums, then the loss of each row and its gradient by x. The logits are a matrix of the device while it runs.
import type { KernelTable } from "@qlora-js/core";
import { whole } from "../engine.ts";
import type { Gpu } from "../gpu.ts";
import { type List, type Matrix, program, type Thread } from "../program.ts";
import { shiftedSums } from "./softmax.ts";

// z = x·Wᵀ, or cap·tanh(x·Wᵀ / cap); cap 0: none. tanh a = 1 − 2 / (e^2a + 1)
const logits = program(function (this: Thread, x: Matrix, w: Matrix, n: number, cap: number) {
  let z = 0.0;
  for (let i = 0; i < n; i++) z += x[this.thread.z]![i]! * w[this.thread.x]![i]!;
  if (cap > 0) z = cap * (1 - 2 / (Math.exp((2 * z) / cap) + 1));
  return z;
});

// loss[r] = ln Σ_v e^z[r, v] − z[r, target]
const lossOfRow = program(function (this: Thread, z: Matrix, largest: List, sum: List, targets: List) {
  const row = this.thread.x;
  return largest[row]! - z[row]![targets[row]!]! + Math.log(sum[row]!);
});

// u[r, i] = Σ_v (softmax(z[r])[v] − [v = target])·dz/ds·W[v, i], with dz/ds = 1 − (z / cap)² under a cap
const gradient = program(function (
  this: Thread,
  z: Matrix,
  largest: List,
  sum: List,
  targets: List,
  w: Matrix,
  vocabulary: number,
  cap: number,
) {
  const row = this.thread.z;
  let total = 0.0;
  for (let v = 0; v < vocabulary; v++) {
    const logit = z[row]![v]!;
    let p = Math.exp(logit - largest[row]!) / sum[row]!;
    if (targets[row]! === v) p -= 1;
    if (cap > 0) p *= 1 - (logit / cap) * (logit / cap);
    total += p * w[v]![this.thread.x]!;
  }
  return total;
});

export const linearCrossEntropyKernels = {
  linearCrossEntropy: (gpu, [x, weight, targets], [loss, u], { withGradient, softcap }) => {
    const [rows, n] = x!.shape as [number, number];
    const vocabulary = weight!.shape[0]!;
    const w = gpu.values(weight!, [n, vocabulary]);
    const cap = softcap ?? 0;
    const z = gpu.run(logits, [vocabulary, rows], [gpu.values(x!, [n, rows]), w, whole(n), cap]);
    const { largest, sum } = shiftedSums(gpu, z, rows, vocabulary);
    const target = gpu.values(targets!);
    gpu.fill(loss!, lossOfRow, [rows], [z, largest, sum, target]);
    if (withGradient) gpu.fill(u!, gradient, [n, rows], [z, largest, sum, target, w, whole(vocabulary), cap]);
  },
} satisfies Partial<KernelTable<Gpu>>;
