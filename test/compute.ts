// From host to device, through some ops, and back; nothing stays on the device.
import { type Backend, grad, parameter, scope, type Tensor } from "@qlora-js/core";
import { download, upload, type Value } from "./value.ts";

export const listOf = <T>(x: T | readonly T[]): readonly T[] => (Array.isArray(x) ? (x as readonly T[]) : [x as T]);

/** What an expression makes of inputs. It may return an input. */
export async function compute(
  backend: Backend,
  inputs: readonly Value[],
  expression: (...tensors: Tensor[]) => Tensor | readonly Tensor[],
): Promise<Value[]> {
  return readAll(scope(backend, () => listOf(expression(...inputs.map((v) => upload(backend, v))))));
}

/** Gradients of an expression by all of its inputs, or by those at some positions. The loss is one number. */
export async function gradientsOf(
  backend: Backend,
  inputs: readonly Value[],
  loss: (...tensors: Tensor[]) => Tensor,
  positions = inputs.map((_, i) => i),
): Promise<Value[]> {
  const found = scope(backend, () => {
    const tensors = inputs.map((v, i) => (positions.includes(i) ? parameter(upload(backend, v)) : upload(backend, v)));
    return grad(
      loss(...tensors),
      positions.map((i) => tensors[i]!),
    );
  });
  return readAll(found);
}

/** The values of tensors, which are disposed. */
export async function readAll(tensors: readonly Tensor[]): Promise<Value[]> {
  const values = await Promise.all(tensors.map(download));
  for (const t of tensors) t.dispose();
  return values;
}
