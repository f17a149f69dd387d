// The only road from a public function to a kernel: apply() infers, allocates, runs, and records. It records; it never walks (tape.ts does).
import type { Backend } from "./backend.ts";
import { BYTES, type DType } from "./dtype.ts";
import { DeviceError, GradientError } from "./error.ts";
import type { Gradient, GradientSlot, Input, Node } from "./node.ts";
import { QTensor } from "./qtensor.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { type Session, sessionOf } from "./session.ts";
import { type Shape, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";

/** What an output will be. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One slot an input. A quantized input's slot is null by type. */
export type Gradients<I extends readonly Input[]> = { readonly [K in keyof I]: I[K] extends QTensor ? null : GradientSlot };

/** What a gradient rule may read. Gradients flow through an op's first output; further ones are what its rule needs, or results of their own. */
export interface RuleContext<I extends readonly Input[], A extends object> {
  readonly inputs: I;
  readonly attrs: A;
  readonly output: Tensor;
  readonly outputs: readonly Tensor[];
  /** d(loss)/d(output) */
  readonly grad: Tensor;
}

export interface Op<Name extends string, I extends readonly Input[], A extends object> {
  readonly name: Name;
  /** Shape and dtype of the output, or of each. Throws every argument error there is. */
  infer(inputs: I, attrs: A): Spec | readonly Spec[];
  /** Positions of the inputs whose values the rule reads; anything else may be freed before the backward pass. Shapes are always there. */
  readonly saves?: readonly number[];
  /** Positions of the outputs whose values the rule reads. */
  readonly savesOutputs?: readonly number[];
  /** Whether a checkpoint with room keeps the outputs instead of computing them again: true for what is costly to compute and small to keep. */
  dear?(inputs: I, attrs: A): boolean;
  /** Absent: there is no gradient, and grad() says so by the op's name. */
  vjp?(at: RuleContext<I, A>): Gradients<I>;
}

export function defineOp<const Name extends string, const I extends readonly Input[], A extends object>(
  op: Op<Name, I, A>,
): Op<Name, I, A> {
  return op;
}

/** Gradients that one run computes together: slot(i) gives the i-th, and the run happens once, when the first is asked for. */
export function together(run: () => readonly Tensor[]): (i: number) => () => Tensor {
  let all: readonly Tensor[] | null = null;
  return (i) => () => {
    all = all ?? run();
    return all[i]!;
  };
}

/** A gradient that takes what has arrived before as its addend. It has the input's own shape. */
export const summing = (run: (before?: Tensor) => Tensor): Gradient => Object.assign(() => run(), { onto: run });

/** Whether gradients are asked for through this input. */
export const isTracked = (x: Input): x is Tensor & { readonly origin: NonNullable<Tensor["origin"]> } =>
  x instanceof Tensor && x.origin !== null;

/** Runs an op that has one output. */
export function apply<I extends readonly Input[], A extends object>(op: Op<string, I, A>, inputs: I, attrs: A): Tensor {
  return applyAll(op, inputs, attrs)[0]!;
}

/** Runs an op; one tensor an output. @throws whatever the op's `infer` throws, DeviceError, OutOfMemoryError */
export function applyAll<I extends readonly Input[], A extends object>(op: Op<string, I, A>, inputs: I, attrs: A): Tensor[] {
  const inferred = op.infer(inputs, attrs);
  const specs = "dtype" in inferred ? [inferred] : inferred;
  const backend = backendOf(op.name, inputs);
  const session = sessionOf(backend);
  const node = record(session, op, inputs, attrs);
  const step = session.replaying?.take(op.name);
  const runs = step?.runs ?? true;
  const views = runs ? inputs.flatMap((x) => x.views()) : []; // before the outputs: a disposed input must not leave them behind
  const outputs = specs.map(({ shape, dtype }, index) => {
    const storage = step?.kept ? step.kept[index]!.retain() : new Storage(backend, sizeOf(shape) * BYTES[dtype], runs);
    return new Tensor(storage, shape, dtype, node && dtype === "f32" ? { node, index } : null);
  });
  if (runs) {
    backend.run(
      op.name,
      views,
      outputs.flatMap((y) => y.views()),
      attrs,
    );
  }
  if (session.rehearsing) rehearse(session.rehearsing, op, inputs, outputs, attrs);
  node?.holdOutputs(outputs);
  return outputs;
}

/** The same storage under another shape: no kernel runs, nothing is copied. `back` is the gradient's way. */
export function applyView(name: string, x: Tensor, shape: Shape, back: (grad: Tensor) => Tensor): Tensor {
  const op: Op<string, readonly [Tensor], object> = {
    name,
    infer: () => ({ shape, dtype: x.dtype }),
    vjp: ({ grad }) => [() => back(grad)],
  };
  const node = record(sessionOf(x.backend), op, [x] as const, {});
  const view = new Tensor(x.storage.retain(), shape, x.dtype, node ? { node, index: 0 } : null);
  node?.holdOutputs([view]);
  return view;
}

function backendOf(name: string, inputs: readonly Input[]): Backend {
  const backend = inputs[0]!.backend;
  for (const x of inputs) {
    if (x.backend !== backend)
      throw new DeviceError(
        `${name}: one input lives on "${backend.name}", another on "${x.backend.name}". Move one of them: await x.to(backend).`,
      );
  }
  return backend;
}

function record<I extends readonly Input[], A extends object>(
  session: Session,
  op: Op<string, I, A>,
  inputs: I,
  attrs: A,
): OpNode<I, A> | null {
  if (session.recording === "off" || !inputs.some(isTracked)) return null;
  if (session.recording === "dry") {
    session.sawTracked = true;
    return null;
  }
  const node = new OpNode(session.nextNodeId++, op, inputs, attrs);
  session.scope?.made.add(node);
  return node;
}

const storagesOf = (input: Input): Storage[] => (input instanceof QTensor ? input.tensors() : [input]).map((t) => t.storage);

function rehearse<I extends readonly Input[], A extends object>(
  rehearsal: Rehearsal,
  op: Op<string, I, A>,
  inputs: I,
  outputs: readonly Tensor[],
  attrs: A,
): void {
  const read = [...(op.saves ?? []).flatMap((i) => storagesOf(inputs[i]!)), ...(op.savesOutputs ?? []).map((i) => outputs[i]!.storage)];
  const dear = op.dear?.(inputs, attrs) ?? false;
  rehearsal.hear(
    op.name,
    inputs.flatMap(storagesOf),
    outputs.map((y) => y.storage),
    read,
    dear,
  );
}

class OpNode<I extends readonly Input[], A extends object> implements Node {
  readonly op: string;
  #outputs: readonly Tensor[] = [];
  #held: Storage[] = [];

  constructor(
    readonly id: number,
    readonly rule: Op<string, I, A>,
    readonly inputs: I,
    readonly attrs: A,
  ) {
    this.op = rule.name;
    for (const position of rule.saves ?? []) {
      for (const storage of storagesOf(inputs[position]!)) this.#held.push(storage.retain());
    }
  }

  holdOutputs(outputs: readonly Tensor[]): void {
    this.#outputs = outputs;
    for (const position of this.rule.savesOutputs ?? []) this.#held.push(outputs[position]!.storage.retain());
  }

  gradients(grads: readonly (Tensor | null)[]): readonly GradientSlot[] {
    if (!this.rule.vjp)
      throw new GradientError(
        `${this.op}: has no gradient. Take it out of the way from the parameters to the loss, or detach() its input.`,
      );
    const [output] = this.#outputs as [Tensor];
    const [grad] = grads;
    if (!grad) throw new GradientError(`${this.op}: the loss depends on an output that has no gradient. Only the first one has.`);
    return this.rule.vjp({ inputs: this.inputs, attrs: this.attrs, output, outputs: this.#outputs, grad });
  }

  dispose(): void {
    for (const storage of this.#held.splice(0)) storage.release();
  }
}
