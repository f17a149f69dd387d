// Matrix products on the software GPU: f32 against jax-js and tfjs on WebGPU, NF4 in both directions against onnxruntime's two kernels for 4 bits on WebGPU.
// A contestant is a process of its own, idle while another runs: each brings its own Dawn, or wants `navigator.gpu` for itself. All read their result back.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { gpuEnvironment } from "../scripts/software-gpu.mjs";
import { installPeers } from "./install.mjs";
import { header, median, ratio, row, time, turns } from "./measure.mjs";
import { onnxModel } from "./onnx-model.mjs";

const SIDE = 512;
const ROWS = 256;
const SIZE = 1024;
const BLOCK = 64;
const numbers = (n, seed) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));

/** GFLOP/s of a product of m·k·n. */
const rate = async (m, k, n, product) => (2 * m * k * n) / (await time(product)) / 1e9;

async function ours() {
  const { createWebGpuBackend } = await import("@qlora-js/backend-webgpu");
  const backend = await createWebGpuBackend({ software: true });
  const { matmul, nf4, quantize, scope, tensor } = await import("@qlora-js/core");
  const read = async (compute) => {
    const y = scope(backend, compute);
    await backend.read(y.views()[0].buffer);
    y.dispose();
  };
  return { backend, read, matmul, nf4, quantize, scope, tensor };
}

async function oursF32() {
  const { backend, read, matmul, tensor } = await ours();
  const [a, b] = [1, 2].map((seed) => tensor(backend, numbers(SIDE * SIDE, seed), [SIDE, SIDE]));
  return () => rate(SIDE, SIDE, SIDE, () => read(() => matmul(a, b)));
}

const oursNf4 = (backward) => async () => {
  const { backend, nf4, quantize, scope, tensor } = await ours();
  const format = nf4();
  const q = scope(backend, () => quantize(tensor(backend, numbers(SIZE * SIZE, 3), [SIZE, SIZE]), format));
  const x = tensor(backend, numbers(ROWS * SIZE, 4), [ROWS, SIZE]);
  const views = [...x.views(), ...q.views()];
  const y = tensor(backend, new Float32Array(ROWS * SIZE), [ROWS, SIZE]);
  return () =>
    rate(ROWS, SIZE, SIZE, async () => {
      backend.run("qmatmul", views, y.views(), { transposed: backward, format });
      await backend.read(y.views()[0].buffer);
    });
};

/** What libraries for browsers look for. The GPU stays referenced there: Dawn ends with it. */
async function likeBrowser() {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const navigator = { gpu: create([]), userAgent: "node", hardwareConcurrency: 2, platform: "linux", language: "en" };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}

async function jaxJs() {
  await likeBrowser();
  const jax = await import("@jax-js/jax");
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  const [a, b] = [1, 2].map((seed) => jax.numpy.array(numbers(SIDE * SIDE, seed)).reshape([SIDE, SIDE]));
  return () => rate(SIDE, SIDE, SIDE, () => jax.numpy.matmul(a.ref, b.ref).data());
}

async function tfJs() {
  await likeBrowser();
  const { default: tf } = await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-webgpu");
  await tf.setBackend("webgpu");
  await tf.ready();
  const [a, b] = [1, 2].map((seed) => tf.tensor2d(numbers(SIDE * SIDE, seed), [SIDE, SIDE]));
  return () =>
    rate(SIDE, SIDE, SIDE, async () => {
      const y = tf.matMul(a, b);
      await y.data();
      y.dispose();
    });
}

/** A product with 4-bit weights there is forward only: x·Wᵀ. */
async function onnx(op, attributes, block, codesDims) {
  const { default: ort } = await import("onnxruntime-node");
  const inputs = [
    { name: "x", type: "float32", dims: [ROWS, SIZE] },
    { name: "codes", type: "uint8", dims: codesDims },
    { name: "scales", type: "float32", dims: [(SIZE * SIZE) / block] },
  ];
  const node = { op, domain: "com.microsoft", attributes: { K: SIZE, N: SIZE, block_size: block, ...attributes } };
  const model = onnxModel(node, inputs, { name: "y", type: "float32", dims: [ROWS, SIZE] });
  const session = await ort.InferenceSession.create(model, { executionProviders: ["webgpu"], logSeverityLevel: 3 });
  const codes = Uint8Array.from({ length: (SIZE * SIZE) / 2 }, (_, i) => (i * 97 + 13) & 255);
  const feeds = {
    x: new ort.Tensor("float32", numbers(ROWS * SIZE, 4), inputs[0].dims),
    codes: new ort.Tensor("uint8", codes, inputs[1].dims),
    scales: new ort.Tensor("float32", new Float32Array((SIZE * SIZE) / block).fill(0.01), inputs[2].dims),
  };
  return () => rate(ROWS, SIZE, SIZE, async () => (await session.run(feeds)).y.getData());
}

const onnxNf4 = () => onnx("MatMulBnb4", { quant_type: 1 }, BLOCK, [(SIZE * SIZE) / 2]);
/** Whole numbers from −8 to 7, with a scale for each 32 of them. */
const onnxInt4 = () => onnx("MatMulNBits", { bits: 4 }, 32, [SIZE, SIZE / 32, 16]);

const CONTESTS = {
  [`f32 ${SIDE}³`]: { ours: oursF32, "jax-js": jaxJs, tfjs: tfJs },
  [`NF4 ${ROWS} rows × ${SIZE}²`]: {
    "ours, forward": oursNf4(false),
    "ours, dX": oursNf4(true),
    "onnxruntime MatMulBnb4, forward": onnxNf4,
    "onnxruntime MatMulNBits (int4, blocks of 32), forward": onnxInt4,
  },
};

/** Answers each line with one measurement. */
async function contestant(contest, name) {
  const measure = await CONTESTS[contest][name]();
  for await (const _ of createInterface({ input: process.stdin })) console.log(`gflops ${await measure()}`);
  process.exit(0);
}

/** The contestant in a process of its own; each call is one measurement. */
function start(contest, name, env) {
  const child = spawn(process.execPath, [import.meta.filename, contest, name], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    measure: async () => {
      child.stdin.write("\n");
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`${name} ended without an answer.`);
        if (value.startsWith("gflops ")) return Number(value.slice(7));
      }
    },
    stop: () => child.kill(),
  };
}

async function compare() {
  installPeers();
  const env = { ...process.env, ...(await gpuEnvironment()) };
  for (const [contest, contestants] of Object.entries(CONTESTS).filter(([title]) => title.startsWith(process.env.ONLY ?? ""))) {
    const names = Object.keys(contestants);
    const running = names.map((name) => start(contest, name, env));
    const results = await turns(Object.fromEntries(names.map((name, i) => [name, running[i].measure])), Number(process.env.ROUNDS ?? 5));
    for (const { stop } of running) stop();
    console.log(`\n## ${contest}, GFLOP/s\n`);
    const own = names.filter((name) => name.startsWith("ours"));
    header("", "median", ...own.map((name) => `${name} ÷ this`));
    for (const name of names)
      row(name, median(results[name]).toFixed(2), ...own.map((o) => `${ratio(results[o], results[name]).toFixed(2)}×`));
  }
}

const [contest, name] = process.argv.slice(2);
if (contest && name) await contestant(contest, name);
else await compare();
