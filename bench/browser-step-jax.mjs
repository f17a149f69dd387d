import * as jax from "@jax-js/jax";
import { answerWith, HIDDEN, IN, numbers, ROWS } from "./browser-step-numbers.mjs";

const { numpy: np, nn } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");
const make = (seed, shape) => np.array(numbers(shape[0] * shape[1], seed)).reshape(shape);
const parameters = [make(1, [IN, HIDDEN]), make(2, [HIDDEN, IN])];
const [x, y] = [make(3, [ROWS, IN]), make(4, [ROWS, IN])];
const loss = ([w1, w2], x, y) => np.square(np.matmul(nn.gelu(np.matmul(x, w1)), w2).sub(y)).mean();
const step = jax.jit(jax.valueAndGrad(loss));
answerWith(async () => {
  const [value, gradients] = step(
    parameters.map((p) => p.ref),
    x.ref,
    y.ref,
  );
  const [result] = await value.data();
  for (const t of gradients) {
    await t.blockUntilReady();
    t.dispose();
  }
  return result;
});
