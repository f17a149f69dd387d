// A step leaves nothing behind: after hundreds of them, what lives is what lived after the tenth.
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4, Pager } from "@qlora-js/core";
import {
  DataOrder,
  type Example,
  LoraAdapter,
  loadModel,
  loraSettings,
  openModelFiles,
  PagedAdamW,
  readModelConfig,
  train,
} from "@qlora-js/qlora";
import { microModelUrl } from "@qlora-js/qlora/micro";
import { openFolder } from "@qlora-js/qlora/node";
import { expect, it } from "vitest";
import { length } from "../length.ts";

const STEPS = length(400, 1000);
/** As the command sets them; and garbage is collected before memory is looked at, since when that happens by itself is the engine's affair. */
for (const flag of ["--expose-gc", "--semi-space-growth-factor=1", "--optimize-for-size"]) setFlagsFromString(flag);
const collect = runInNewContext("gc") as () => void;

it(`holds after ${STEPS} steps what it held after ten`, async () => {
  const backend = await createCpuBackend({ threads: 1 });
  const folder = await openFolder(fileURLToPath(microModelUrl()));
  const config = await readModelConfig(folder);
  const files = await openModelFiles(folder);
  const model = await loadModel(backend, config, files, { format: nf4() });
  await files.close();
  const adapter = LoraAdapter.create(model, loraSettings({ rank: 4, alpha: 8, dropout: 0.1, targetModules: "all-linear" }), 0);
  const parameters = adapter.parameters();
  const pager = new Pager(backend);
  const rows = Array.from({ length: 7 }, (_, row) => Int32Array.from({ length: 6 + row }, (_, i) => (row * 31 + i * 7) % config.vocabSize));
  const examples = rows.map((inputIds) => ({ inputIds, labels: inputIds, bytes: 0 }) as unknown as Example);
  const order = new DataOrder(examples.length, { order: "file", batch: 1, accumulate: 2, seed: 0 });
  const options = { steps: STEPS, learningRate: 1e-4, schedule: "constant", warmupSteps: 0, clip: 0.3, seed: 0, dropout: true } as const;
  const recompute = new Array(config.layers).fill("cheap") as "cheap"[];
  const held = [];
  for await (const { step } of train(model, [...parameters.values()], new PagedAdamW(parameters, pager), examples, order, {
    ...options,
    recompute,
  })) {
    if (step !== 10 && step !== STEPS) continue;
    const { liveBuffers, liveBytes } = backend.memory();
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    held.push({ liveBuffers, liveBytes, host: heapUsed + external, resident: rss });
  }
  const [early, late] = held as [(typeof held)[0], (typeof held)[0]];
  expect(late.liveBuffers).toBe(early.liveBuffers);
  expect(late.liveBytes).toBe(early.liveBytes);
  expect(late.host).toBeLessThan(early.host + 4 * 2 ** 20);
  expect(late.resident).toBeLessThan(early.resident + 16 * 2 ** 20);
  pager.dispose();
  model.dispose();
  expect(backend.memory().liveBuffers).toBe(0);
  backend.dispose();
});
