// One process of train-step.mjs: ours. Prints a JSON line.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4, Pager } from "@qlora-js/core";
import { DataOrder, LoraAdapter, loadModel, loraSettings, openModelFiles, PagedAdamW, readModelConfig, train } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { median } from "./measure.mjs";

const [model, threads = "2", length = "256", steps = "6", recomputed = "4"] = process.argv.slice(2);
const backend = await createCpuBackend({ threads: Number(threads) });
const folder = await openFolder(model);
const config = await readModelConfig(folder);
const files = await openModelFiles(folder);
const llama = await loadModel(backend, config, files, { format: nf4() });
await files.close();
const adapter = LoraAdapter.create(llama, loraSettings({ rank: 16, alpha: 16, targetModules: "all-linear" }), 0);
const parameters = adapter.parameters();
const optimizer = new PagedAdamW(parameters, new Pager(backend));
const examples = Array.from({ length: Number(steps) }, (_, row) => {
  const inputIds = Int32Array.from({ length: Number(length) }, (_, i) => (i * 7919 + row * 104729 + 20) % config.vocabSize);
  return { inputIds, labels: inputIds, bytes: 0 };
});
const order = new DataOrder(examples.length, { order: "file", batch: 1, accumulate: 1, seed: 0 });
const options = {
  steps: Number(steps),
  learningRate: 1e-4,
  schedule: "constant",
  warmupSteps: 0,
  clip: 0.3,
  seed: 0,
  dropout: false,
  // products are kept in all layers but the first ones, which are computed again: what stays within 450 MB
  recompute: Array.from({ length: config.layers }, (_, i) => (i < Number(recomputed) ? "all" : "cheap")),
};
const seconds = [];
for await (const step of train(llama, [...parameters.values()], optimizer, examples, order, options)) seconds.push(step.seconds);
const stepMs = 1000 * median(seconds.slice(1));
console.log(
  JSON.stringify({
    stepMs,
    tokensPerSecond: (1000 * Number(length)) / stepMs,
    peakMb: process.resourceUsage().maxRSS / 1024,
    memory: backend.memory(),
  }),
);
process.exit(0);
