// One training step of the micro model on the GPU (software, where there is no other): what it asks of the device, and that nothing stays behind.
// node bench/webgpu-step.mjs [STEPS [TOKENS]]: of the first row, or of its last TOKENS tokens.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gpuEnvironment } from "../scripts/software-gpu.mjs";

if (!process.env.QLORA_BENCH_GPU) {
  const env = { ...process.env, ...(await gpuEnvironment()), QLORA_BENCH_GPU: "1" };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: "inherit" }).status ?? 1);
}

const { createWebGpuBackend } = await import("@qlora-js/backend-webgpu");
const { nf4, Pager } = await import("@qlora-js/core");
const q = await import("@qlora-js/qlora");
const { microDemoUrl, microModelUrl } = await import("@qlora-js/qlora/micro");
const { openFolder, readDataFile } = await import("@qlora-js/qlora/node");
const { header, median, row } = await import("./measure.mjs");

const steps = Number(process.argv[2] ?? 20);
const tokens = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);

/** Its last tokens; nothing stands before the first of them to predict it from. */
function lastOf(example, count) {
  const labels = example.labels.slice(-count);
  labels[0] = -100;
  return { ...example, inputIds: example.inputIds.slice(-count), labels, supervised: labels.filter((label) => label !== -100).length };
}

const backend = await createWebGpuBackend({ software: true });
console.log(`${backend.facts.description}\n`);
const folder = await openFolder(fileURLToPath(microModelUrl()));
const config = await q.readModelConfig(folder);
const text = await q.readTokenizerFiles(folder);
const tokenizer = q.Tokenizer.from(text);
const template = q.ChatTemplate.from(text, tokenizer.special);
const files = await q.openModelFiles(folder);
const model = await q.loadModel(backend, config, files, { format: nf4() });
await files.close();
const { rows } = await readDataFile(join(fileURLToPath(microDemoUrl()), "train.jsonl"));
const { vocabSize: vocabularySize, maxPositions, layers } = config;
const { examples } = q.tokenizeRows(rows, { tokenizer, template, vocabularySize, maxPositions });
const parameters = q.LoraAdapter.create(model, q.loraSettings({ rank: 16, alpha: 32, targetModules: "all-linear" }), 0).parameters();
const optimizer = new q.PagedAdamW(parameters, new Pager(backend));
// one row again and again, so that each step is the same work
const order = new q.DataOrder(1, { order: "file", batch: 1, accumulate: 1, seed: 0 });
const recompute = new Array(layers).fill("cheap");
const options = { steps, learningRate: 1e-3, schedule: "constant", warmupSteps: 0, clip: 0.3, seed: 0, dropout: false, recompute };

header("step", "seconds", "dispatches", "submits", "bytes in", "bytes out", "programs", "live buffers", "peak bytes", "pooled bytes");
let before = backend.counters;
const seconds = [];
const live = {};
for await (const step of q.train(model, [...parameters.values()], optimizer, [lastOf(examples[0], tokens)], order, options)) {
  const now = backend.counters;
  const since = (name) => now[name] - before[name];
  const { liveBuffers, peakBytes } = backend.memory();
  seconds.push(step.seconds);
  live[step.step] = liveBuffers;
  if ([1, 2, 10].includes(step.step) || step.step % 100 === 0 || step.step === steps)
    row(
      step.step,
      step.seconds.toFixed(2),
      since("dispatches"),
      since("submits"),
      since("bytesWritten"),
      since("bytesRead"),
      now.programs,
      liveBuffers,
      peakBytes,
      now.pooledBytes,
    );
  before = now;
}
console.log(`\nmedian ${median(seconds.slice(1)).toFixed(2)} s a step`);
console.log(`live buffers: ${live[Math.min(10, steps)]} after step ${Math.min(10, steps)}, ${live[steps]} after step ${steps}`);
backend.dispose();
process.exit(0);
