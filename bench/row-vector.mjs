// NF4 row · vector, exact f32: ours against onnxruntime-node's MatMulBnb4, in turns, with the same threads.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { key, nf4, normal, qmatmul, quantize, scope, tensor } from "@qlora-js/core";
import { installPeers } from "./install.mjs";
import { header, median, ratio, row, time, turns } from "./measure.mjs";
import { onnxModel } from "./onnx-model.mjs";

installPeers();
const ort = await import("onnxruntime-node");

async function ours(threads, k, n) {
  const backend = await createCpuBackend({ threads });
  const q = scope(backend, () => quantize(tensor(backend, normal(key(1), n * k), [n, k]), nf4({ doubleQuant: false })));
  const x = tensor(backend, normal(key(2), k), [1, k]);
  return async () => (2 * k * n) / (await time(() => scope(backend, () => void qmatmul(x, q)))) / 1e9;
}

async function theirs(threads, k, n) {
  const inputs = [
    { name: "x", type: "float32", dims: [1, k] },
    { name: "codes", type: "uint8", dims: [(n * k) / 2] },
    { name: "absmax", type: "float32", dims: [(n * k) / 64] },
  ];
  const node = { op: "MatMulBnb4", domain: "com.microsoft", attributes: { K: k, N: n, block_size: 64, quant_type: 1 } };
  const session = await ort.InferenceSession.create(onnxModel(node, inputs, { name: "y", type: "float32", dims: [1, n] }), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const codes = Uint8Array.from({ length: (n * k) / 2 }, (_, i) => (i * 97 + 13) & 255);
  const feeds = {
    x: new ort.Tensor("float32", normal(key(2), k), [1, k]),
    codes: new ort.Tensor("uint8", codes, [codes.length]),
    absmax: new ort.Tensor("float32", new Float32Array((n * k) / 64).fill(0.5), [(n * k) / 64]),
  };
  return async () => (2 * k * n) / (await time(() => session.run(feeds))) / 1e9;
}

console.log("\n## NF4 row · vector, GFLOP/s (medians)\n");
header("size", "threads", "ours", "onnxruntime-node 1.30 MatMulBnb4", "ratio");
for (const [k, n] of [
  [1024, 1024],
  [2048, 2048],
  [576, 1536],
]) {
  for (const threads of [1, 2]) {
    const results = await turns({ ours: await ours(threads, k, n), theirs: await theirs(threads, k, n) });
    row(
      `${k} × ${n}`,
      threads,
      median(results.ours).toFixed(2),
      median(results.theirs).toFixed(2),
      `${ratio(results.ours, results.theirs).toFixed(2)}×`,
    );
  }
}
process.exit(0);
