// A short run of the embedded model, as the tutorial's: loss of each step, and of rows it never learns from. The same on every machine: the run depends on its
// seed alone.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCpuBackend } from "../../packages/backend-cpu/dist/index.js";
import { nf4, Pager } from "../../packages/core/dist/index.js";
import * as q from "../../packages/qlora/dist/index.js";
import { microDemoUrl, microModelUrl } from "../../packages/qlora/dist/micro.js";
import { openFolder, readDataFile } from "../../packages/qlora/dist/node.js";
import { curve, dot, figure, scale, segment, text } from "./svg.mjs";

const STEPS = 100;
const EVERY = 10;

async function run() {
  const backend = await createCpuBackend();
  const folder = await openFolder(fileURLToPath(microModelUrl()));
  const config = await q.readModelConfig(folder);
  const words = await q.readTokenizerFiles(folder);
  const tokenizer = q.Tokenizer.from(words);
  const template = q.ChatTemplate.from(words, tokenizer.special);
  const files = await q.openModelFiles(folder);
  const model = await q.loadModel(backend, config, files, { format: nf4() });
  await files.close();
  const examplesOf = async (name) => {
    const { rows } = await readDataFile(join(fileURLToPath(microDemoUrl()), name));
    return q.tokenizeRows(rows, { tokenizer, template, vocabularySize: config.vocabSize, maxPositions: config.maxPositions }).examples;
  };
  const [examples, valid] = [await examplesOf("train.jsonl"), await examplesOf("valid.jsonl")];
  const parameters = q.LoraAdapter.create(model, q.loraSettings({ rank: 8, alpha: 16, targetModules: "all-linear" }), 0).parameters();
  const optimizer = new q.PagedAdamW(parameters, new Pager(backend));
  const order = new q.DataOrder(examples.length, { order: "shuffle", batch: 8, accumulate: 1, seed: 0 });
  const recompute = new Array(config.layers).fill("cheap");
  const options = { steps: STEPS, learningRate: 2e-3, schedule: "constant", warmupSteps: 0, clip: 0.3, seed: 0, dropout: false, recompute };
  const learnt = [];
  const unseen = [[0, (await q.evaluate(model, valid, 8)).loss]];
  for await (const { step, loss } of q.train(model, [...parameters.values()], optimizer, examples, order, options)) {
    learnt.push([step, loss]);
    if (step % EVERY === 0) unseen.push([step, (await q.evaluate(model, valid, 8)).loss]);
  }
  backend.dispose();
  return { learnt, unseen };
}

export async function draw() {
  const { learnt, unseen } = await run();
  const x = scale([0, STEPS], [60, 680]);
  const y = scale([0, 5], [280, 40]);
  const place = ([step, loss]) => [x(step), y(loss)];
  return figure(
    `Loss by step: from ${learnt[0][1].toFixed(2)} to ${learnt.at(-1)[1].toFixed(2)} on rows it learns from, from ${unseen[0][1].toFixed(2)} to ${unseen.at(-1)[1].toFixed(2)} on rows it does not.`,
    720,
    330,
    [
      text(60, 22, "loss", { kind: "title" }),
      [0, 1, 2, 3, 4, 5].map((v) => [segment(60, y(v), 680, y(v), "grid"), text(52, y(v) + 4, v, { anchor: "end", kind: "quiet small" })]),
      [0, 20, 40, 60, 80, 100].map((step) => text(x(step), 300, step, { anchor: "middle", kind: "quiet small" })),
      curve(learnt.map(place), "s0"),
      unseen.map((point) => dot(...place(point), 4.5, "f1")),
      [
        segment(430, 66, 460, 66, "line s0"),
        text(468, 70, "rows it learns from"),
        dot(445, 90, 4.5, "f1"),
        text(468, 94, "rows it has never seen"),
      ],
      text(370, 324, "step", { anchor: "middle", kind: "quiet" }),
    ],
  );
}
