// Ops that change a tensor in place: optimizer steps and caches. They are outside the tape: what a node still needs must not be updated.
import { DeviceError } from "./error.ts";
import type { Tensor } from "./tensor.ts";

export interface Update<Name extends string, T extends readonly Tensor[], I extends readonly Tensor[], A extends object> {
  readonly name: Name;
  /** Throws every argument error there is. */
  check(targets: T, inputs: I, attrs: A): void;
}

export function defineUpdate<
  const Name extends string,
  const T extends readonly Tensor[],
  const I extends readonly Tensor[],
  A extends object,
>(update: Update<Name, T, I, A>): Update<Name, T, I, A> {
  return update;
}

/** Kernels see the targets' views and then the inputs' as inputs, and the targets' again as outputs. */
export function applyUpdate<T extends readonly Tensor[], I extends readonly Tensor[], A extends object>(
  update: Update<string, T, I, A>,
  targets: T,
  inputs: I,
  attrs: A,
): void {
  update.check(targets, inputs, attrs);
  const { backend } = targets[0]!;
  for (const x of [...targets, ...inputs])
    if (x.backend !== backend)
      throw new DeviceError(
        `${update.name}: tensors live on "${backend.name}" and "${x.backend.name}". Move one of them: await x.to(backend).`,
      );
  const written = targets.flatMap((t) => t.views());
  backend.run(update.name, [...written, ...inputs.flatMap((x) => x.views())], written, attrs);
}
