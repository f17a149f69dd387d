// LoRA over 16-bit weights and full fine-tuning in 16 bits, done for one step to see what they take: the model is small enough.
import { type Backend, Pager, tensor, zeros } from "@qlora-js/core";
import { makeBatch } from "../../data/batch.ts";
import { DataOrder } from "../../data/order.ts";
import type { Example } from "../../data/tokenize.ts";
import { openModelFiles } from "../../formats/model-files.ts";
import type { LoraSettings } from "../../formats/peft-config.ts";
import { LoraAdapter } from "../../lora/lora-adapter.ts";
import type { LanguageModel } from "../../models/language-model.ts";
import { loadModel } from "../../models/load-model.ts";
import type { Recomputation } from "../../nn/forward-pass.ts";
import { PagedAdamW } from "../../optimizer/paged-adamw.ts";
import { FullFineTuning } from "../../plan/full-fine-tuning.ts";
import { microBatch } from "../../plan/micro-batch.ts";
import { train } from "../../train/train.ts";
import { type BackendChoice, openBackend } from "../open-backend.ts";
import type { ModelFolder } from "../open-model.ts";

export interface Measured {
  readonly folder: ModelFolder;
  readonly on: BackendChoice;
  /** The rows of the batch. */
  readonly examples: readonly Example[];
  readonly settings: LoraSettings;
  readonly recompute: readonly Recomputation[];
  readonly pagerBudget: number;
}

/** The most bytes that a backend of its own held. */
async function peakOf({ folder, on }: Measured, use: (backend: Backend, model: LanguageModel) => Promise<void>): Promise<number> {
  const files = await openModelFiles(folder.folder);
  const { backend } = await openBackend(on);
  try {
    await use(backend, await loadModel(backend, folder.config, files, { format: null }));
    return backend.memory().peakBytes;
  } finally {
    backend.dispose();
    await files.close();
  }
}

/** Two steps, so that the moments of the first are there in the second. */
export const measureLora = (run: Measured): Promise<number> =>
  peakOf(run, async (backend, model) => {
    const { examples, settings, recompute, pagerBudget } = run;
    const parameters = LoraAdapter.create(model, settings, 0).parameters();
    const optimizer = new PagedAdamW(parameters, new Pager(backend, { budgetBytes: pagerBudget }));
    const order = new DataOrder(examples.length, { order: "file", batch: examples.length, accumulate: 1, seed: 0 });
    const options = { learningRate: 1e-4, schedule: "constant", warmupSteps: 0, clip: 1, seed: 0, dropout: false } as const;
    for await (const _ of train(model, [...parameters.values()], optimizer, examples, order, { ...options, steps: 2, recompute }));
  });

/** One step, with moments of zeros. */
export const measureFull = (run: Measured): Promise<number> =>
  peakOf(run, async (backend, model) => {
    const { examples, recompute } = run;
    const tuning = new FullFineTuning(model);
    const moments = tuning.parameters.map(({ shape }) => ({ m: zeros(backend, shape), v: zeros(backend, shape) }));
    const batch = makeBatch(examples);
    const { grads } = microBatch(tuning.parameters, batch.supervised, () => tuning.losses(batch, { dropoutKey: null, recompute }));
    tuning.update(grads, moments, tensor(backend, [1], []), 1e-4);
    await backend.flush();
  });
