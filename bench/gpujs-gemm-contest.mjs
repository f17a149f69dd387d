// Our product on gpu.js beside the one of gpu.js's own read-me, three lines, in one mode; in Node and in a page. Either result is read by the host.
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import { key, matmul, normal, tensor } from "@qlora-js/core";
import { GPU } from "gpu.js";
import { time, turns } from "./measure.mjs";

/** What a page without a canvas draws on. */
const options = (mode) =>
  mode === "webgl2" ? { mode, canvas: new OffscreenCanvas(1, 1), context: new OffscreenCanvas(1, 1).getContext("webgl2") } : { mode };

/** Seconds of a product of n³, a list for each contestant, and how far the results are apart. */
export async function contest(mode, n, rounds) {
  const [a, b] = [normal(key(1), n * n), normal(key(2), n * n)];
  const backend = await createGpuJsBackend({ mode });
  const [ourA, ourB] = [a, b].map((values) => tensor(backend, values, [n, n]));
  const ours = async (options) => {
    const y = matmul(ourA, ourB, options);
    const values = await y.read();
    y.dispose();
    return values;
  };

  const gpu = new GPU(options(mode));
  const plain = gpu
    .createKernel(function (x, y) {
      let sum = 0;
      for (let i = 0; i < this.constants.n; i++) sum += x[this.thread.y][i] * y[i][this.thread.x];
      return sum;
    })
    .setConstants({ n })
    .setOutput([n, n]);
  const nested = (values) => Array.from({ length: n }, (_, i) => values.subarray(i * n, (i + 1) * n));
  const [plainA, plainB] = [nested(a), nested(b)];

  const [want, got] = [plain(plainA, plainB), await ours({})];
  const apart = Math.max(...got.map((value, i) => Math.abs(value - want[Math.floor(i / n)][i % n])));
  const seconds = await turns(
    {
      plain: () => time(() => void plain(plainA, plainB)),
      "ours, A·B": () => time(() => ours({})),
      "ours, A·Bᵀ": () => time(() => ours({ transposeB: true })),
      "ours, Aᵀ·B": () => time(() => ours({ transposeA: true })),
    },
    rounds,
  );
  const { device } = backend.facts;
  backend.dispose();
  return { device, apart, seconds };
}
