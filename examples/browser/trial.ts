// Half a second that says which of two devices is the faster here: a block of a small model and its gradients, again and again, a quarter of a second on each.
import {
  type Backend,
  grad,
  key,
  matmul,
  mean,
  normal,
  parameter,
  rmsNorm,
  scope,
  silu,
  square,
  type Tensor,
  tensor,
} from "@qlora-js/core";

interface Candidate {
  /** In a sentence. */
  readonly name: string;
  readonly backend: Backend;
}

export interface Faster<T> {
  readonly faster: T;
  readonly slower: T;
  /** What was measured, for people. */
  readonly words: string;
}

const MILLISECONDS_EACH = 250;
/** Rows of a step of the embedded model, and its widths. */
const [ROWS, WIDTH, WIDER] = [192, 128, 384];

/** The faster of two; the first, if they are equally fast. */
export async function fasterOf<T extends Candidate>(first: T, second: T): Promise<Faster<T>> {
  return chosen(first, second, [await blockMilliseconds(first.backend), await blockMilliseconds(second.backend)]);
}

/** Of two, by the milliseconds that each took for the same. */
export function chosen<T extends Candidate>(first: T, second: T, [one, other]: readonly [number, number]): Faster<T> {
  const [faster, slower] = one <= other ? [first, second] : [second, first];
  const took = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;
  const words = `In a trial of half a second ${first.name} took ${took(one)} for what took ${second.name} ${took(other)}: the model learns on ${faster.name}.`;
  return { faster, slower, words };
}

/** Milliseconds of a block with its gradients. The first run is not counted: it compiles. */
async function blockMilliseconds(backend: Backend): Promise<number> {
  const random = (seed: number, shape: readonly [number, number]): Tensor => tensor(backend, normal(key(seed), shape[0] * shape[1]), shape);
  const x = random(0, [ROWS, WIDTH]);
  const gain = tensor(backend, new Float32Array(WIDTH).fill(1), [WIDTH]);
  const weights = [random(1, [WIDTH, WIDER]), random(2, [WIDER, WIDTH])];
  const [up, down] = weights.map((weight) => parameter(weight)) as [Tensor, Tensor];
  const block = async (): Promise<void> => {
    const gradients = scope(backend, () => {
      const hidden = silu(matmul(rmsNorm(x, gain, 1e-5), up));
      return grad(mean(square(matmul(hidden, down))), [up, down]);
    });
    await gradients[0]!.readBytes(); // only who reads knows that it is done
    for (const gradient of gradients) gradient.dispose();
  };
  await block();
  const start = performance.now();
  let blocks = 0;
  for (; performance.now() - start < MILLISECONDS_EACH; blocks++) await block();
  for (const made of [x, gain, ...weights, up, down]) made.dispose();
  return (performance.now() - start) / blocks;
}
