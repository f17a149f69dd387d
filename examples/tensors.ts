// A gradient by hand, and the same by tape. f(w) = mean((x·w − y)²): one linear layer and a squared error.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { grad, matmul, mean, parameter, scope, square, sub, tensor } from "@qlora-js/core";

const backend = createPlainBackend();
const x = [1, 2, 3, 4, 5, 6]; // [3, 2]: three rows of two features
const y = [3, 7, 11]; // what w = [1, 1] would give
const w = [0.5, -0.25];

// By hand: error e = x·w − y, and d mean(e²)/dw = 2/3 · xᵀ·e.
const e = [0, 1, 2].map((row) => x[2 * row]! * w[0]! + x[2 * row + 1]! * w[1]! - y[row]!);
const byHand = [0, 1].map((column) => (2 / 3) * e.reduce((sum, error, row) => sum + error * x[2 * row + column]!, 0));

// By tape: ops run at once and leave a node each; grad() walks the nodes back. The scope frees all but what it returns.
const { loss, gradient } = scope(backend, () => {
  const weight = parameter(tensor(backend, w, [2, 1]));
  const error = sub(matmul(tensor(backend, x, [3, 2]), weight), tensor(backend, y, [3, 1]));
  const loss = mean(square(error));
  const [gradient] = grad(loss, [weight]);
  return { loss: loss.detach(), gradient: gradient! };
});
const byTape = [...(await gradient.read())];

console.log(`loss     ${(await loss.item()).toFixed(4)}`);
console.log(`by hand  ${byHand.map((g) => g.toFixed(4)).join("  ")}`);
console.log(`by tape  ${byTape.map((g) => g.toFixed(4)).join("  ")}`);

// And by asking the function itself: move each weight a little and look.
const f = async (values: readonly number[]): Promise<number> => {
  const value = scope(backend, () =>
    mean(square(sub(matmul(tensor(backend, x, [3, 2]), tensor(backend, values, [2, 1])), tensor(backend, y, [3, 1])))),
  );
  const number = await value.item();
  value.dispose();
  return number;
};
const step = 1e-2;
const byDifference = [];
for (const i of [0, 1]) byDifference.push(((await f(w.with(i, w[i]! + step))) - (await f(w.with(i, w[i]! - step)))) / (2 * step));
console.log(`measured ${byDifference.map((g) => g.toFixed(4)).join("  ")}`);

for (const t of [loss, gradient]) t.dispose();
console.log(`live buffers at the end: ${backend.memory().liveBuffers}`);
backend.dispose();
