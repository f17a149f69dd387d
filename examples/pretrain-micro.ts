// How the embedded micro model was made: a Llama of 1.1 million parameters, all of them trained from random numbers, on text that a grammar writes.
// Everything is a pure function of the seed: the first weights, the text, and so the result. Run it with `npm run example -- pretrain-micro`, or a small
// taste of it with `--steps 20` behind that. It writes to runs/micro, and leaves the embedded model alone.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import {
  adamW,
  add,
  addScalar,
  argmax,
  cast,
  crossEntropy,
  div,
  fold,
  grad,
  key,
  matmul,
  mean,
  minimum,
  noGrad,
  normal,
  parameter,
  reshape,
  scope,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@qlora-js/core";
import {
  buildModel,
  DenseLinear,
  encodeSafetensors,
  type LanguageModel,
  LinearSlot,
  modelParts,
  modelTensors,
  parseModelConfig,
  Tokenizer,
} from "@qlora-js/qlora";
import {
  demoData,
  draws,
  MICRO_CONFIG,
  microExam,
  microGrammar,
  microModelFiles,
  microWindow,
  storyText,
  tellStory,
} from "@qlora-js/qlora/micro";

const STANDARD = { steps: "5000", out: "runs/micro", seed: "0", threads: "2", batch: "4" };
const options = given();
const [steps, seed, threads, batch] = [whole("steps", 1), whole("seed", 0), whole("threads", 1), whole("batch", 1)];

/** What was typed, and for the rest the standard. */
function given(): typeof STANDARD {
  try {
    const names = Object.keys(STANDARD).map((name) => [name, { type: "string" }] as const);
    return { ...STANDARD, ...parseArgs({ options: Object.fromEntries(names) }).values };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function whole(name: keyof typeof STANDARD, least: number): number {
  const value = Number(options[name]);
  return Number.isSafeInteger(value) && value >= least
    ? value
    : refuse(`--${name} is "${options[name]}", not a whole number from ${least}.`);
}

function refuse(why: string): never {
  const known = Object.entries(STANDARD).map(([name, value]) => `--${name} ${value}`);
  console.error(`${why}\nOptions, with what they are by default: ${known.join(" ")}`);
  process.exit(2);
}

/** Positions a window; every position of the model is trained. */
const TIME = MICRO_CONFIG.max_position_embeddings;
/** A taste of a few steps is measured briefly. */
const BRIEF = steps < 500;
const PEAK_LEARNING_RATE = 3e-3;
const WARMUP = 100;
const CLIP = 1;

const config = parseModelConfig(MICRO_CONFIG);
const files = microModelFiles();
const tokenizer = Tokenizer.from({ tokenizer: JSON.parse(files["tokenizer.json"]!), config: JSON.parse(files["tokenizer_config.json"]!) });
const grammar = microGrammar();
const backend = await createCpuBackend({ threads });
const root = key(seed);
// one stream of random numbers a purpose: weights, training text, held-out stories
const [forWeights, forText, forStories] = [0, 1, 2].map((stream) => fold(root, stream)) as [typeof root, typeof root, typeof root];

/** Random first weights: normal, the layers that write to the residual stream smaller by √(2 · layers) as in GPT-2; norms one. */
function firstWeights(): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [i, { name, shape, kind }] of modelTensors(config).entries()) {
    const count = shape.reduce((a, b) => a * b, 1);
    const deviation = MICRO_CONFIG.initializer_range / (/o_proj|down_proj/.test(name) ? Math.sqrt(2 * config.layers) : 1);
    const values = kind === "norm" ? new Float32Array(count).fill(1) : normal(fold(forWeights, i), count, deviation);
    weights.set(name, parameter(tensor(backend, values, shape)));
  }
  return weights;
}

/** The model over these tensors; nothing is copied, so updating them in place trains it. */
function modelOf(weights: ReadonlyMap<string, Tensor>): LanguageModel {
  const parts = modelParts(config).map(({ kind, name }) => {
    const part = kind === "linear" ? new LinearSlot(name, new DenseLinear(weights.get(`${name}.weight`)!)) : weights.get(name)!;
    return [name, part] as const;
  });
  return buildModel(backend, config, new Map(parts));
}

const weights = firstWeights();
const model = modelOf(weights);
const parameters = [...weights.values()];
const moments = parameters.map(({ shape }) => ({ first: zeros(backend, shape), second: zeros(backend, shape) }));

/** Logits [rows · time, vocabulary] of rows of equal length. */
function logitsOf(rows: readonly (readonly number[])[], time: number): Tensor {
  const inputIds = Int32Array.from(rows.flatMap((row) => row.slice(0, time)));
  const hidden = model.hidden({ inputIds, batch: rows.length, length: time }, { dropoutKey: null });
  return matmul(reshape(hidden, [rows.length * time, config.hiddenSize]), model.head, { transposeB: true });
}

/** The loss of each position [rows · time]: every token is predicted from those before it. */
function lossesOf(rows: readonly (readonly number[])[], time: number): Tensor {
  const targets = tensor(
    backend,
    rows.flatMap((row) => row.slice(1, time + 1)),
    [rows.length * time],
    "i32",
  );
  return crossEntropy(logitsOf(rows, time), targets);
}

/** Warm-up in a straight line, then half a cosine down to a twentieth. */
function learningRate(step: number): number {
  const cosine = 0.5 * (1 + Math.cos((Math.PI * step) / steps));
  return PEAK_LEARNING_RATE * Math.min(1, (step + 1) / WARMUP) * (0.05 + 0.95 * cosine);
}

/** One step of AdamW over all weights; the mean loss comes back as a tensor, so that nothing waits for the device. */
function trainStep(step: number): Tensor {
  const text = fold(forText, step);
  const rows = Array.from({ length: batch }, (_, row) =>
    microWindow(grammar, (t) => tokenizer.encode(t), draws(fold(text, row)), TIME + 1),
  );
  return scope(backend, () => {
    const loss = mean(lossesOf(rows, TIME));
    const gradients = grad(loss, parameters);
    const norm = sqrt(gradients.map((g) => sum(square(g))).reduce((a, b) => add(a, b)));
    const gradScale = minimum(tensor(backend, [1], []), div(tensor(backend, [CLIP], []), addScalar(norm, 1e-6)));
    for (const [i, p] of parameters.entries()) {
      const { first, second } = moments[i]!;
      const weightDecay = p.shape.length > 1 ? 0.05 : 0;
      adamW(p, first, second, gradients[i]!, gradScale, {
        learningRate: learningRate(step),
        beta1: 0.9,
        beta2: 0.98,
        epsilon: 1e-8,
        weightDecay,
        step: step + 1,
      });
    }
    return loss.detach();
  });
}

/** Perplexity of stories that were not in the training text: exp of the mean loss of a token. */
async function storyPerplexity(): Promise<number> {
  const draw = draws(forStories);
  const windows = Array.from({ length: BRIEF ? 1 : 16 }, () =>
    microWindow(
      (d) => ({ text: storyText(tellStory(d)) }),
      (t) => tokenizer.encode(t),
      draw,
      TIME + 1,
    ),
  );
  let total = 0;
  for (const window of windows) {
    using loss = scope(backend, () => noGrad(backend, () => mean(lossesOf([window], TIME))));
    total += await loss.item();
  }
  return Math.exp(total / windows.length);
}

/** How many of the exam's questions are answered word for word by greedy decoding, by topic. One pass shows it: each token of the answer must be the likeliest. */
async function exam(every: number): Promise<Map<string, { right: number; asked: number }>> {
  const questions = microExam().filter((_, i) => i % every === 0);
  const marks = new Map<string, { right: number; asked: number }>();
  for (let at = 0; at < questions.length; at += 32) {
    const rows = questions.slice(at, at + 32).map(({ topic, question, answer }) => {
      const asked = tokenizer.encode(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`);
      return { topic, asked, ids: [...asked, ...tokenizer.encode(`${answer}<|im_end|>`)] };
    });
    const time = Math.max(...rows.map(({ ids }) => ids.length));
    const padded = rows.map(({ ids }) => [...ids, ...Array<number>(time - ids.length).fill(0)]);
    using likeliest = scope(backend, () => noGrad(backend, () => argmax(logitsOf(padded, time))));
    const best = await likeliest.readInts();
    for (const [row, { topic, asked, ids }] of rows.entries()) {
      const mark = marks.get(topic) ?? { right: 0, asked: 0 };
      const right = ids.every((id, i) => i < asked.length || best[row * time + i - 1] === id);
      marks.set(topic, { right: mark.right + Number(right), asked: mark.asked + 1 });
    }
  }
  return marks;
}

/** The folder as a Hugging Face model has it, weights in bf16; and beside it the demo's data. */
async function save(out: string): Promise<void> {
  const [modelFolder, demoFolder] = [join(out, "model"), join(out, "demo")];
  mkdirSync(modelFolder, { recursive: true });
  mkdirSync(demoFolder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(modelFolder, name), text);
  const stored = [];
  for (const [name, weight] of weights) {
    using rounded = scope(backend, () => noGrad(backend, () => cast(weight, "bf16")));
    stored.push({ name, dtype: "BF16" as const, shape: weight.shape, data: await rounded.readBytes() });
  }
  writeFileSync(join(modelFolder, "model.safetensors"), await encodeSafetensors(stored));
  const { train, valid, prompts } = demoData();
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(join(demoFolder, "train.jsonl"), lines(train));
  writeFileSync(join(demoFolder, "valid.jsonl"), lines(valid));
  writeFileSync(join(demoFolder, "prompts.json"), `${JSON.stringify(prompts, null, 2)}\n`);
}

const out = resolve(options.out);
const began = performance.now();
console.log(
  `${parameters.reduce((n, p) => n + p.shape.reduce((a, b) => a * b, 1), 0)} parameters, ${steps} steps of ${batch * TIME} tokens, seed ${seed}`,
);
for (let step = 0; step < steps; step++) {
  using loss = trainStep(step);
  const last = step + 1 === steps;
  if (step % 50 === 0 || last) {
    const [value, seconds] = [await loss.item(), (performance.now() - began) / 1000];
    const rate = ((step + 1) * batch * TIME) / seconds;
    console.log(
      `${step + 1}/${steps}  loss ${value.toFixed(4)}  ${rate.toFixed(0)} tok/s  eta ${((seconds / (step + 1)) * (steps - step - 1)).toFixed(0)} s`,
    );
    if (!Number.isFinite(value)) throw new Error(`the loss is ${value} at step ${step + 1}; lower the learning rate`);
  }
  if (last || (step + 1) % 500 === 0) {
    await save(out);
    console.log(`saved ${out}  story perplexity ${(await storyPerplexity()).toFixed(3)}`);
  }
}
const marks = await exam(BRIEF ? 100 : 1);
const totals = [...marks.values()].reduce((a, b) => ({ right: a.right + b.right, asked: a.asked + b.asked }));
for (const [topic, { right, asked }] of marks) console.log(`  ${topic}: ${right} of ${asked}`);
console.log(`answers ${totals.right} of ${totals.asked} questions word for word`);
backend.dispose();
