// One word swaps the device: the same fine-tune on each backend, losses side by side. `npm run example -- swap-backends [steps]`.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCpuBackend, createPlainBackend } from "@qlora-js/backend-cpu";
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import { createWebGpuBackend } from "@qlora-js/backend-webgpu";
import { type Backend, nf4, Pager, UnsupportedError } from "@qlora-js/core";
import * as q from "@qlora-js/qlora";
import { microDemoUrl, microModelUrl } from "@qlora-js/qlora/micro";
import { openFolder, readDataFile } from "@qlora-js/qlora/node";

const steps = Number(process.argv[2] ?? 5);

/** Everything after the backend is the same for all of them. */
async function losses(backend: Backend): Promise<number[]> {
  const folder = await openFolder(fileURLToPath(microModelUrl()));
  const config = await q.readModelConfig(folder);
  const text = (await q.readTokenizerFiles(folder))!;
  const tokenizer = q.Tokenizer.from(text);
  const template = q.ChatTemplate.from(text, tokenizer.special)!;
  const files = await q.openModelFiles(folder);
  const model = await q.loadModel(backend, config, files, { format: nf4() });
  await files.close();
  const { rows } = await readDataFile(join(fileURLToPath(microDemoUrl()), "train.jsonl"));
  const { vocabSize: vocabularySize, maxPositions, layers } = config;
  const { examples } = q.tokenizeRows(rows, { tokenizer, template, vocabularySize, maxPositions });

  const settings = q.loraSettings({ rank: 8, alpha: 16, dropout: 0.1, targetModules: "all-linear" });
  const parameters = q.LoraAdapter.create(model, settings, 0).parameters();
  const optimizer = new q.PagedAdamW(parameters, new Pager(backend));
  const order = new q.DataOrder(examples.length, { order: "shuffle", batch: 2, accumulate: 1, seed: 0 });
  const recompute = new Array<q.Recomputation>(layers).fill("cheap");
  const options = {
    steps,
    learningRate: 2e-3,
    schedule: "constant",
    warmupSteps: 0,
    clip: 0.3,
    seed: 0,
    dropout: true,
    recompute,
  } as const;
  const found: number[] = [];
  for await (const { loss } of q.train(model, [...parameters.values()], optimizer, examples, order, options)) found.push(loss);
  return found;
}

const backends: Record<string, () => Promise<Backend>> = {
  plain: async () => createPlainBackend(),
  gpujs: () => createGpuJsBackend(),
  cpu: () => createCpuBackend(),
  webgpu: () => createWebGpuBackend({ software: true }), // a GPU if there is one, else software
};
const columns: [name: string, losses: number[]][] = [];
for (const [name, create] of Object.entries(backends)) {
  try {
    const backend = await create();
    const start = performance.now();
    columns.push([name, await losses(backend)]);
    console.log(`${name.padEnd(8)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    backend.dispose();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    console.log(`${name.padEnd(8)} not here: ${error.message}`);
  }
}

console.log(`\nstep   ${columns.map(([name]) => name.padStart(12)).join("")}   furthest apart`);
for (let i = 0; i < steps; i++) {
  const row = columns.map(([, values]) => values[i]!);
  const apart = (Math.max(...row) - Math.min(...row)) / Math.max(...row);
  console.log(`${String(i + 1).padEnd(7)}${row.map((loss) => loss.toFixed(7).padStart(12)).join("")}   ${apart.toExponential(1)}`);
}
