// One fine-tuning run on a backend, in pieces that a page can show: open, answer, measure, take a step. Knows nothing of workers or of the page.
import type { Backend, Tensor } from "@qlora-js/core";
import { nf4, Pager } from "@qlora-js/core";
import * as q from "@qlora-js/qlora";
import { fetchFolder, fetchText } from "./fetch-folder.ts";
import type { MemoryOf, MethodBytes, Settings } from "./messages.ts";
import type { OpenBackend } from "./open-backend.ts";

const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "model.safetensors",
];
/** Rows measured at a time. */
const VALIDATION_BATCH = 8;
const SAMPLES = 4;
const LARGE = "llama-7b";
const GREEDY = { temperature: 0, topK: 0, topP: 1, seed: 0, maxNewTokens: 48 } as const;

/** All that changes while it learns, in the page's memory and not on a device: what a run goes on from, on whatever backend. */
export interface Kept {
  /** Steps done. */
  readonly step: number;
  readonly matrices: ReadonlyMap<string, Uint8Array>;
  readonly moments: ReadonlyMap<string, readonly Uint8Array[]>;
}

export class Lesson {
  readonly #optimizer: q.PagedAdamW;
  readonly #run: AsyncGenerator<q.TrainStep, void, void>;

  private constructor(
    readonly settings: Settings,
    readonly model: q.LanguageModel,
    readonly adapter: q.LoraAdapter,
    readonly text: Text,
    readonly data: Data,
    kept: Kept | undefined,
  ) {
    const parameters = adapter.parameters();
    this.#optimizer = new q.PagedAdamW(parameters, new Pager(model.backend));
    if (kept) {
      for (const [name, { backend, storage }] of parameters) backend.write(storage.buffer, kept.matrices.get(name)!);
      this.#optimizer.load(kept.step, kept.moments);
    }
    this.#run = this.#train(parameters);
  }

  /**
   * Loads the embedded model onto the backend, its linear weights in NF4 with double quantization, and puts an adapter on it: a fresh one, or what was kept.
   */
  static async open(backend: Backend, settings: Settings, files: URL, kept?: Kept): Promise<Lesson> {
    const folder = await fetchFolder(new URL("model/", files), MODEL_FILES);
    const config = await q.readModelConfig(folder);
    const text = await readText(folder);
    const weights = await q.openModelFiles(folder);
    const model = await q.loadModel(backend, config, weights, { format: nf4() });
    await weights.close();
    const adapter = q.LoraAdapter.create(model, loraOf(settings), settings.seed);
    return new Lesson(settings, model, adapter, text, await readData(new URL("demo/", files), text, config), kept);
  }

  /** Numbers of the model without the adapter. */
  get parameters(): number {
    return q.modelTensors(this.model.config).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  }

  /** One step of training, or undefined when all are done. @throws DivergedError */
  async step(): Promise<q.TrainStep | undefined> {
    const { value } = await this.#run.next();
    return value ?? undefined;
  }

  /** The state between two steps. Order and learning rate are functions of seed and step, so this is all of it: a run that goes on from it has the same bits. */
  async keep(): Promise<Kept> {
    const optimizer = this.#optimizer;
    const parameters = [...this.adapter.parameters()];
    const momentsOf = (name: string) => Promise.all(optimizer.specs(name).map((_, part) => optimizer.stateOf(name, part)));
    // asked for together: waiting for each would be a way to the device and back for each
    const [matrices, moments] = await Promise.all([
      Promise.all(parameters.map(async ([name, parameter]) => [name, await parameter.readBytes()] as const)),
      Promise.all(parameters.map(async ([name]) => [name, await momentsOf(name)] as const)),
    ]);
    return { step: optimizer.steps, matrices: new Map(matrices), moments: new Map(moments) };
  }

  /** What the model says now, always its likeliest words. `withAdapter: false` takes the adapter off for this one answer: the frozen model is as it was. */
  async answer(question: string, { withAdapter = true }: { withAdapter?: boolean } = {}): Promise<string> {
    const { tokenizer, template } = this.text;
    const prompt = q.encodePrompt(template.render([{ role: "user", content: question }], { addGenerationPrompt: true }), tokenizer);
    const { layers } = this.adapter;
    const ids: number[] = [];
    if (!withAdapter) for (const [name, { base }] of layers) this.model.replaceLinear(name, base);
    try {
      for await (const id of q.generate(this.model, prompt, { ...GREEDY, stopIds: tokenizer.stopIds })) ids.push(id);
    } finally {
      for (const [name, linear] of layers) this.model.replaceLinear(name, linear);
    }
    return tokenizer.decode(ids, { skipSpecialTokens: true }).trim();
  }

  /** Mean loss of the rows that are not trained on. */
  async validation(onProgress: (share: number) => Promise<void>): Promise<number> {
    const { valid } = this.data;
    const { loss } = await q.evaluate(this.model, valid, VALIDATION_BATCH, (rows) => onProgress(rows / valid.length));
    return loss;
  }

  /** Predicted bytes of a step, for the three ways to fine-tune: of this run with its longest rows, and of a large model. */
  memory(workspace: OpenBackend["workspace"]): Record<MemoryOf, MethodBytes[]> {
    const here = { ...this.#planned(), ...(workspace ? { workspace } : {}) };
    const large = { ...here, batch: 1, length: 512, supervised: 512, recompute: ["cheap"] as const };
    return { here: threeWays(this.model.config, here), large: threeWays(q.shapeNamed(LARGE), large) };
  }

  /** Goes through a step without computing it, for a device that compiles what will run. */
  rehearse(onRun: Backend["run"]): void {
    q.forecast(this.model.config, this.#planned(), onRun);
  }

  #planned(): q.AdapterRun {
    const adapter = loraOf(this.settings);
    const shape = q.batchShape(this.data.train, this.settings.batch);
    return { dtype: "bf16", format: nf4(), adapter, ...shape, accumulate: 1, optimizerBits: 32, recompute: this.#recompute() };
  }

  #train(parameters: ReadonlyMap<string, Tensor>): AsyncGenerator<q.TrainStep, void, void> {
    const { steps, batch, learningRate, seed } = this.settings;
    const order = new q.DataOrder(this.data.train.length, { order: "shuffle", batch, accumulate: 1, seed });
    const how = { schedule: "cosine", warmupSteps: Math.ceil(steps / 20), clip: 1, dropout: false } as const;
    const options = { ...how, steps, stepsDone: this.#optimizer.steps, learningRate, seed, recompute: this.#recompute() };
    return q.train(this.model, [...parameters.values()], this.#optimizer, this.data.train, order, options);
  }

  /** The model is small: everything is kept for the backward pass. */
  #recompute(): q.Recomputation[] {
    return new Array<q.Recomputation>(this.model.config.layers).fill("nothing");
  }
}

interface Text {
  readonly tokenizer: q.Tokenizer;
  readonly template: q.ChatTemplate;
}

interface Data {
  readonly train: readonly q.Example[];
  readonly valid: readonly q.Example[];
  /** Asked before, while and after; in no row. */
  readonly questions: readonly string[];
  /** A few rows as a person reads them. */
  readonly samples: readonly { readonly question: string; readonly answer: string }[];
}

const threeWays = (config: q.ModelConfig, run: q.AdapterRun): MethodBytes[] =>
  q.METHODS.map((method) => {
    const { components, deviceBytes } = q.forecast(config, q.byMethod(method, run));
    return { method, components, deviceBytes };
  });

const loraOf = ({ rank }: Settings): q.LoraSettings => q.loraSettings({ rank, alpha: 2 * rank, targetModules: "all-linear" });

async function readText(folder: q.Folder): Promise<Text> {
  const files = (await q.readTokenizerFiles(folder))!;
  const tokenizer = q.Tokenizer.from(files);
  return { tokenizer, template: q.ChatTemplate.from(files, tokenizer.special)! };
}

async function readData(url: URL, text: Text, config: q.ModelConfig): Promise<Data> {
  const part = async (name: string) => {
    const rows: q.PlacedRow[] = [];
    for await (const row of q.readRows([await fetchText(new URL(name, url))], name)) rows.push(row);
    const options = { ...text, vocabularySize: config.vocabSize, maxPositions: config.maxPositions };
    return { rows, examples: q.tokenizeRows(rows, options).examples };
  };
  const [train, valid] = [await part("train.jsonl"), await part("valid.jsonl")];
  const questions = JSON.parse(await fetchText(new URL("prompts.json", url))) as string[];
  const samples = train.rows.slice(0, SAMPLES).flatMap(({ row }) => {
    const [asked, said] = row.kind === "messages" ? row.messages : [];
    return asked && said ? [{ question: asked.content, answer: said.content }] : [];
  });
  return { train: train.examples, valid: valid.examples, questions, samples };
}
