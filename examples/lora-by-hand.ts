// LoRA on one matrix: W stays frozen in four bits, and two thin matrices learn the difference to a target.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import {
  add,
  dequantize,
  grad,
  key,
  matmul,
  mean,
  nf4,
  normal,
  parameter,
  qmatmul,
  quantize,
  scale,
  scope,
  square,
  sub,
  tensor,
  uniform,
} from "@qlora-js/core";

const backend = createPlainBackend();
const [inputs, outputs, rank, alpha] = [64, 48, 4, 8];

const frozen = scope(backend, () => quantize(tensor(backend, normal(key(1), outputs * inputs, 0.1), [outputs, inputs]), nf4()));
// What is to be learnt: W plus a change that has rank 4.
const target = scope(backend, () => {
  const change = matmul(
    tensor(backend, normal(key(2), outputs * rank, 0.3), [outputs, rank]),
    tensor(backend, normal(key(3), rank * inputs, 0.3), [rank, inputs]),
  );
  return add(dequantize(frozen), change);
});
let a = new Float32Array(uniform(key(4), rank * inputs, -1 / 8, 1 / 8));
let b = new Float32Array(outputs * rank); // zero: at first the layer computes what W does

const losses = [];
for (let step = 0; step < 300; step++) {
  const { loss, gradients } = scope(backend, () => {
    const [A, B] = [parameter(tensor(backend, a, [rank, inputs])), parameter(tensor(backend, b, [outputs, rank]))];
    const x = tensor(backend, normal(key(1000 + step), 32 * inputs), [32, inputs]);
    const branch = scale(matmul(matmul(x, A, { transposeB: true }), B, { transposeB: true }), alpha / rank);
    const y = add(qmatmul(x, frozen), branch); // base(x) + alpha/rank · B(A(x))
    const loss = mean(square(sub(y, matmul(x, target, { transposeB: true }))));
    return { loss: loss.detach(), gradients: grad(loss, [A, B]) }; // W has no gradient: its type does not allow one
  });
  const [dA, dB] = [await gradients[0]!.read(), await gradients[1]!.read()];
  a = a.map((value, i) => value - 0.5 * dA[i]!);
  b = b.map((value, i) => value - 0.5 * dB[i]!);
  losses.push(await loss.item());
  for (const t of [loss, ...gradients]) t.dispose();
}
console.log(`trained ${rank * (inputs + outputs)} numbers beside ${inputs * outputs} frozen ones`);
console.log(`loss ${losses[0]!.toFixed(4)} → ${losses.at(-1)!.toExponential(1)}`);
frozen.dispose();
target.dispose();
backend.dispose();
