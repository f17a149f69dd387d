// For tests: a GPU, or why there is none here; a backend whose device goes away at a chosen kernel; and a small step of training that goes through the
// kernels a real one goes through.
import {
  adamW,
  attention,
  type Backend,
  embedding,
  grad,
  linearCrossEntropy,
  matmul,
  nf4,
  parameter,
  QTensor,
  qaddmm,
  quantizeBlockwise,
  reshape,
  rmsNorm,
  type Shape,
  scope,
  sizeOf,
  swiglu,
  type Tensor,
  tensor,
  type View,
  zeros,
} from "@qlora-js/core";
import { WebGpuBackend } from "./backend.ts";
import { createWebGpuBackend } from "./create-webgpu-backend.ts";
import { openSoftwareGpu } from "./kernels/software-gpu.fixture.ts";

const found = await openSoftwareGpu();
/** Empty, or why there is no GPU to test on. */
export const { absent } = found;
if (!absent) found.backend.dispose();

/** For the title of tests that need a GPU. */
export const on = `on webgpu${absent}`;

/** Its device is destroyed just before one of the ops that run. */
export class DoomedBackend extends WebGpuBackend {
  /** Ops that have run. */
  readonly ran: string[] = [];
  /** Which of them the device does not see, from 0. */
  fatal = Number.POSITIVE_INFINITY;

  static async create(): Promise<DoomedBackend> {
    const { gpu, device, facts, limits } = await createWebGpuBackend({ software: true });
    return new DoomedBackend(gpu, device, facts, limits.maxTotalBytes);
  }

  override run(op: string, inputs: readonly View[], outputs: readonly View[], attrs: object): void {
    if (this.ran.push(op) > this.fatal) this.device.destroy();
    super.run(op, inputs, outputs, attrs);
  }
}

const TOKENS = [3, 1, 4, 1, 5];
const SIZE = 8;
const HEADS = 2;
const WORDS = 7;

const numbers = (length: number, step: number): number[] => Array.from({ length }, (_, i) => 0.5 * Math.sin(1 + step * i));
const wave = (backend: Backend, shape: Shape, step: number): Tensor => tensor(backend, numbers(sizeOf(shape), step), shape);

/** A decoder layer of a few numbers: a 4-bit weight with a low-rank addition, attention, and a loss over words. */
export class SmallModel {
  readonly #trained: { readonly p: Tensor; readonly m: Tensor; readonly v: Tensor }[] = [];
  readonly #frozen: Tensor[] = [];
  readonly #weight: QTensor;
  #steps = 0;

  constructor(readonly backend: Backend) {
    for (const [shape, step] of [
      [[4, SIZE], 0.3],
      [[SIZE, 4], 0.7],
    ] as const) {
      const start = wave(backend, shape, step);
      this.#trained.push({ p: parameter(start), m: zeros(backend, shape), v: zeros(backend, shape) });
      start.dispose();
    }
    const format = nf4({ doubleQuant: false });
    const { codes, absmax } = quantizeBlockwise(Float32Array.from(numbers(SIZE * SIZE, 1.1)), format);
    const scales = { kind: "plain", absmax: tensor(backend, absmax) } as const;
    this.#weight = new QTensor(format, [SIZE, SIZE], tensor(backend, codes, [codes.length], "u8"), scales);
    this.#frozen.push(wave(backend, [WORDS, SIZE], 0.9), wave(backend, [SIZE], 0.2), tensor(backend, TOKENS, [TOKENS.length], "i32"));
    this.#frozen.push(zeros(backend, [1], "i32"), tensor(backend, [1], []));
  }

  /** Sums of the loss over the tokens, before the step. */
  step(): Tensor {
    const { backend } = this;
    const [words, gain, tokens, starts, one] = this.#frozen as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const [a, b] = this.#trained.map(({ p }) => p) as [Tensor, Tensor];
    this.#steps++;
    return scope(backend, () => {
      const x = rmsNorm(embedding(tokens, words), gain, 1e-5);
      const low = matmul(matmul(x, a, { transposeB: true }), b, { transposeB: true });
      const q = qaddmm(low, x, this.#weight);
      const heads = (t: Tensor): Tensor => reshape(t, [1, TOKENS.length, HEADS, SIZE / HEADS]);
      const mixed = reshape(attention(heads(q), heads(x), heads(q), starts, { scale: 0.5, offset: 0 }), [TOKENS.length, SIZE]);
      const losses = linearCrossEntropy(swiglu(mixed, q), words, tokens);
      const loss = matmul(reshape(losses, [1, TOKENS.length]), tensor(backend, new Array(TOKENS.length).fill(1), [TOKENS.length, 1]));
      const gradients = grad(loss, [a, b]);
      this.#trained.forEach(({ p, m, v }, i) => {
        const attrs = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: this.#steps };
        adamW(p, m, v, gradients[i]!, one, attrs);
      });
      return loss;
    });
  }

  /** Everything a step changes. */
  get state(): readonly Tensor[] {
    return this.#trained.flatMap(({ p, m, v }) => [p, m, v]);
  }

  dispose(): void {
    for (const t of [...this.state, ...this.#frozen]) t.dispose();
    this.#weight.dispose();
  }
}
