import { createCpuBackend } from "@qlora-js/backend-cpu";
import { geluTanh, grad, matmul, mean, parameter, scope, square, sub, tensor } from "@qlora-js/core";
import { answerWith, HIDDEN, IN, numbers, ROWS } from "./browser-step-numbers.mjs";

const backend = await createCpuBackend();
const make = (seed, shape) => tensor(backend, numbers(shape[0] * shape[1], seed), shape);
const parameters = [make(1, [IN, HIDDEN]), make(2, [HIDDEN, IN])].map((t) => parameter(t));
const [x, y] = [make(3, [ROWS, IN]), make(4, [ROWS, IN])];
answerWith(
  async () => {
    const [loss, ...gradients] = scope(backend, () => {
      const loss = mean(square(sub(matmul(geluTanh(matmul(x, parameters[0])), parameters[1]), y)));
      return [loss.detach(), ...grad(loss, parameters)];
    });
    const [value] = await loss.read();
    for (const t of [loss, ...gradients]) t.dispose();
    return value;
  },
  { threads: backend.threads },
);
