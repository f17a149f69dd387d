// In a page: a small QLoRA step on WebGL2 again and again, with WebGL's own objects counted, and what is said when the context is taken away.
import { createGpuJsBackend } from "@qlora-js/backend-gpujs";
import {
  adamW,
  add,
  attention,
  type Backend,
  fromBytes,
  grad,
  key,
  linearCrossEntropy,
  matmul,
  mean,
  nf4,
  normal,
  parameter,
  qembedding,
  qmatmul,
  quantize,
  reshape,
  rmsNorm,
  scope,
  silu,
  type Tensor,
  tensor,
  zeros,
} from "@qlora-js/core";

/** Objects of WebGL that are there now. */
type Objects = Record<"Texture" | "Buffer" | "Framebuffer" | "Program", number>;

export interface Learnt {
  readonly first: number;
  readonly last: number;
  /** After each of the steps that were asked for. */
  readonly objects: readonly Objects[];
  /** After everything was disposed of. */
  readonly left: { readonly liveBuffers: number; readonly liveTextures: number };
}

/** What a context that is lost comes out as. */
interface Lost {
  readonly name: string;
  readonly backend: unknown;
  readonly running: readonly string[];
}

export interface LostAndBack {
  readonly lost: Lost;
  /** What is asked for after it was lost. */
  readonly again: Lost;
  /** The loss of the first step, on the first context and on the next. */
  readonly before: number;
  readonly after: number;
}

const [TOKENS, WIDTH, VOCABULARY, RANK] = [6, 16, 24, 4];
const ADAMW = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Counts what contexts make and delete, from now on. */
function countObjects(): Objects {
  const live: Objects = { Texture: 0, Buffer: 0, Framebuffer: 0, Program: 0 };
  const methods = WebGL2RenderingContext.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const kind of Object.keys(live) as (keyof Objects)[]) {
    const [create, remove] = [methods[`create${kind}`]!, methods[`delete${kind}`]!];
    const seen = new Set<unknown>();
    methods[`create${kind}`] = function (...args) {
      const made = create.apply(this, args);
      seen.add(made);
      live[kind] = seen.size;
      return made;
    };
    methods[`delete${kind}`] = function (...args) {
      seen.delete(args[0]);
      live[kind] = seen.size;
      return remove.apply(this, args);
    };
  }
  return live;
}

/** An embedding, a layer of attention and a gate over 4-bit weights with LoRA, the loss, gradients, AdamW. */
class SmallLesson {
  readonly #frozen;
  readonly #trained: { readonly w: Tensor; readonly m: Tensor; readonly v: Tensor }[];
  readonly #all: { dispose(): void }[] = [];
  readonly #numbers;

  constructor(readonly backend: Backend) {
    const random = (seed: number, rows: number, columns: number): Tensor =>
      this.#own(tensor(backend, normal(key(seed), rows * columns, 0.3), [rows, columns]));
    const ids = (list: readonly number[]): Tensor =>
      this.#own(fromBytes(backend, new Uint8Array(Int32Array.from(list).buffer), [list.length], "i32"));
    const packed = (seed: number, rows: number) => this.#own(scope(backend, () => quantize(random(seed, rows, WIDTH), nf4())));
    this.#frozen = { table: packed(1, VOCABULARY), mix: packed(2, WIDTH), head: random(3, VOCABULARY, WIDTH) };
    this.#numbers = {
      ids: ids([1, 5, 2, 7, 3, 9]),
      targets: ids([5, 2, 7, 3, 9, 4]),
      starts: ids([0]),
      gain: this.#own(tensor(backend, new Float32Array(WIDTH).fill(1), [WIDTH])),
      one: this.#own(tensor(backend, Float32Array.of(1), [])),
    };
    this.#trained = [random(4, WIDTH, RANK), this.#own(zeros(backend, [RANK, WIDTH]))].map((start) => ({
      w: this.#own(parameter(start)),
      m: this.#own(zeros(backend, start.shape)),
      v: this.#own(zeros(backend, start.shape)),
    }));
  }

  async step(step: number): Promise<number> {
    const { ids, targets, starts, gain, one } = this.#numbers;
    const { table, mix, head } = this.#frozen;
    const parameters = this.#trained.map(({ w }) => w) as [Tensor, Tensor];
    const loss = scope(this.backend, () => {
      const x = rmsNorm(qembedding(ids, table), gain, 1e-5);
      const mixed = add(qmatmul(x, mix), matmul(matmul(x, parameters[0]), parameters[1]));
      const heads = reshape(silu(mixed), [1, TOKENS, 2, WIDTH / 2]);
      const y = reshape(attention(heads, heads, heads, starts, { scale: 0.35, offset: 0 }), [TOKENS, WIDTH]);
      const loss = mean(linearCrossEntropy(add(x, y), head, targets));
      grad(loss, parameters).forEach((slope, i) => {
        const { w, m, v } = this.#trained[i]!;
        adamW(w, m, v, slope, one, { ...ADAMW, step });
      });
      return loss;
    });
    const [value] = await loss.read();
    loss.dispose();
    return value!;
  }

  dispose(): void {
    for (const made of this.#all) made.dispose();
  }

  #own<T extends { dispose(): void }>(made: T): T {
    this.#all.push(made);
    return made;
  }
}

/** Takes so many steps, and counts after each of those that are named. */
export async function learn(steps: number, countAfter: readonly number[]): Promise<Learnt> {
  const live = countObjects();
  const backend = await createGpuJsBackend({ mode: "webgl2" });
  const lesson = new SmallLesson(backend);
  const losses: number[] = [];
  const objects: Objects[] = [];
  for (let step = 1; step <= steps; step++) {
    losses.push(await lesson.step(step));
    if (countAfter.includes(step)) objects.push({ ...live });
  }
  lesson.dispose();
  const left = { liveBuffers: backend.memory().liveBuffers, liveTextures: backend.liveTextures };
  backend.dispose();
  return { first: losses[0]!, last: losses.at(-1)!, objects, left };
}

/** The context is taken away in the middle of a second step, at a draw; and the first step on a new one. */
export async function lose(): Promise<LostAndBack> {
  const backend = await createGpuJsBackend({ mode: "webgl2" });
  const lesson = new SmallLesson(backend);
  const before = await lesson.step(1);
  const { drawArrays } = WebGL2RenderingContext.prototype;
  let left = 20;
  WebGL2RenderingContext.prototype.drawArrays = function (...args) {
    drawArrays.apply(this, args);
    if (left-- === 0) this.getExtension("WEBGL_lose_context")!.loseContext();
  };
  const said = async (): Promise<Lost> => {
    try {
      await lesson.step(2);
      throw new Error("the step was done");
    } catch (error) {
      const { name, backend, running } = error as Lost;
      return { name, backend, running };
    }
  };
  const [lost, again] = [await said(), await said()];
  backend.dispose();
  const next = await createGpuJsBackend({ mode: "webgl2" });
  const after = await new SmallLesson(next).step(1);
  next.dispose();
  return { lost, again, before, after };
}
