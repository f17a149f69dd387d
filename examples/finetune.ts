// The whole of fine-tuning with the public API: the embedded micro model, frozen in NF4, learns to talk like a pirate.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4, Pager } from "@qlora-js/core";
import * as q from "@qlora-js/qlora";
import { microDemoUrl, microModelUrl } from "@qlora-js/qlora/micro";
import { openFolder, readDataFile } from "@qlora-js/qlora/node";

const steps = Number(process.argv[2]) || 60;
const backend = await createCpuBackend();

// The model: config, tokenizer and chat template from its folder; weights are quantized as they are read.
const folder = await openFolder(fileURLToPath(microModelUrl()));
const config = await q.readModelConfig(folder);
const text = (await q.readTokenizerFiles(folder))!;
const tokenizer = q.Tokenizer.from(text);
const template = q.ChatTemplate.from(text, tokenizer.special)!;
const files = await q.openModelFiles(folder);
const model = await q.loadModel(backend, config, files, { format: nf4() });
await files.close();

// The data: rows of messages become ids and labels; the loss is on what the assistant says.
const data = async (name: string) => {
  const { rows } = await readDataFile(join(fileURLToPath(microDemoUrl()), name));
  return q.tokenizeRows(rows, { tokenizer, template, vocabularySize: config.vocabSize, maxPositions: config.maxPositions }).examples;
};
const [examples, valid] = [await data("train.jsonl"), await data("valid.jsonl")];

async function answer(question: string): Promise<string> {
  const prompt = q.encodePrompt(template.render([{ role: "user", content: question }], { addGenerationPrompt: true }), tokenizer);
  const ids = [];
  const greedy = { temperature: 0, topK: 0, topP: 1, seed: 0, maxNewTokens: 40, stopIds: tokenizer.stopIds };
  for await (const id of q.generate(model, prompt, greedy)) ids.push(id);
  return tokenizer.decode(ids, { skipSpecialTokens: true });
}

const question = "What colour is the sky?";
console.log(`before: ${await answer(question)}   (validation loss ${(await q.evaluate(model, valid, 8)).loss.toFixed(3)})`);

// LoRA on all linear layers, AdamW with moments in pages, and the loop.
const adapter = q.LoraAdapter.create(model, q.loraSettings({ rank: 8, alpha: 16, targetModules: "all-linear" }), 0);
const parameters = adapter.parameters();
const pager = new Pager(backend);
const optimizer = new q.PagedAdamW(parameters, pager);
const order = new q.DataOrder(examples.length, { order: "shuffle", batch: 8, accumulate: 1, seed: 0 });
const recompute = new Array<q.Recomputation>(config.layers).fill("cheap");
const options = { steps, learningRate: 2e-3, schedule: "cosine", warmupSteps: 5, clip: 0.3, seed: 0, dropout: false, recompute } as const;
for await (const { step, loss } of q.train(model, [...parameters.values()], optimizer, examples, order, options)) {
  if (step % 10 === 0) console.log(`step ${step}  loss ${loss.toFixed(3)}`);
}

console.log(`after:  ${await answer(question)}   (validation loss ${(await q.evaluate(model, valid, 8)).loss.toFixed(3)})`);
pager.dispose();
model.dispose();
console.log(`live buffers at the end: ${backend.memory().liveBuffers}`);
backend.dispose();
