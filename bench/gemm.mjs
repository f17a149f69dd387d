// Matrix products: f32 in three orientations and NF4 in both directions, one thread and two, against the multiply-add ceiling measured in the same turns.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { grad, key, matmul, nf4, normal, parameter, qmatmul, quantize, scope, tensor } from "@qlora-js/core";
import { installPeers } from "./install.mjs";
import { header, median, ratio, row, time, turns } from "./measure.mjs";

installPeers();
const { peakFunction } = await import("./peak.mjs");
const peak = await peakFunction();
const one = await createCpuBackend({ threads: 1 });
const two = await createCpuBackend({ threads: 2 });

const random = (backend, shape, seed) => tensor(backend, normal(key(seed), shape[0] * shape[1]), shape);
/** GFLOP/s of a product of m·k·n. */
const rate = (backend, m, k, n, product) => async () => {
  const seconds = await time(() => scope(backend, () => void product()));
  return (2 * m * k * n) / seconds / 1e9;
};

const f32 = (backend, n, options) => {
  const [a, b] = [random(backend, [n, n], 1), random(backend, [n, n], 2)];
  return rate(backend, n, n, n, () => matmul(a, b, options));
};
const n = 1024;
const results = await turns({
  peak,
  "NN, 1 thread": f32(one, n, {}),
  "NT, 1 thread": f32(one, n, { transposeB: true }),
  "TN, 1 thread": f32(one, n, { transposeA: true }),
  "NN, 2 threads": f32(two, n, {}),
});
console.log(`\n## f32 GEMM ${n}³, GFLOP/s\n`);
header("", "median", "of the ceiling", "of NN, 1 thread");
for (const [name, values] of Object.entries(results)) {
  row(
    name,
    median(values).toFixed(1),
    `${(100 * ratio(values, results.peak)).toFixed(0)} %`,
    ratio(values, results["NN, 1 thread"]).toFixed(2),
  );
}

const rows = 512;
const size = 1024;
const nf4Contest = (backend) => {
  const x = random(backend, [rows, size], 1);
  const tracked = scope(backend, () => parameter(x));
  const w = random(backend, [size, size], 2);
  const q = scope(backend, () => quantize(w, nf4()));
  const seed = random(backend, [rows, size], 3);
  return {
    f32: rate(backend, rows, size, size, () => matmul(x, w, { transposeB: true })),
    "NF4 forward": rate(backend, rows, size, size, () => qmatmul(x, q)),
    "NF4 forward and dX": rate(backend, 2 * rows, size, size, () => grad(qmatmul(tracked, q), [tracked], { seed })),
  };
};
for (const [threads, backend] of [
  [1, one],
  [2, two],
]) {
  const contest = await turns(nf4Contest(backend));
  console.log(`\n## NF4 + double quantization, ${rows} rows × ${size}², ${threads} thread${threads > 1 ? "s" : ""}, GFLOP/s\n`);
  header("", "median", "of f32");
  for (const [name, values] of Object.entries(contest))
    row(name, median(values).toFixed(1), `${(100 * ratio(values, contest.f32)).toFixed(0)} %`);
}
one.dispose();
two.dispose();
