// Reverse-mode differentiation, whole. Compare with micrograd's backward().
import type { Backend } from "./backend.ts";
import { GradientError, ShapeError } from "./error.ts";
import type { Gradient, Node, Origin, ReplayWalk } from "./node.ts";
import { isTracked } from "./op.ts";
import { add } from "./ops/elementwise.ts";
import { sumTo } from "./ops/reduce.ts";
import { scope } from "./scope.ts";
import { type OpenScope, type Session, sessionOf, within } from "./session.ts";
import { type Shape, sameShape, show, sizeOf } from "./shape.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** What the backward pass starts from. */
export interface GradOptions {
  /** d(result)/d(loss), the loss's shape; ones by default, for a loss of one element. */
  readonly seed?: Tensor;
  /** Keep what the tape holds, so that grad can be asked again. */
  readonly retain?: boolean;
}

/**
 * d(loss)/d(p) for each p, in the order asked. Nothing is mutated; what the tape held is freed as the walk passes.
 * @throws GradientError if the loss does not depend on a parameter, or an op on the way has no gradient
 * @throws ShapeError if the loss has several elements and no seed is given
 */
export function grad(loss: Tensor, params: readonly Tensor[], { seed, retain = false }: GradOptions = {}): Tensor[] {
  const { backend } = loss;
  const session = sessionOf(backend);
  if (!seed && sizeOf(loss.shape) !== 1)
    throw new ShapeError(
      "grad",
      [loss.shape],
      `the loss has the shape ${show(loss.shape)}. Reduce it to one number, or give a seed of that shape.`,
    );
  if (seed && !sameShape(seed.shape, loss.shape))
    throw new ShapeError("grad", [seed.shape, loss.shape], `the seed ${show(seed.shape)} has not the loss's shape ${show(loss.shape)}.`);
  return scope(backend, () =>
    within(session, { recording: "off" }, () => {
      const walk = new Walk(backend, session, params, retain);
      walk.start(loss, seed ?? tensor(backend, [1], loss.shape));
      return params.map((p, i) => walk.result(p, i));
    }),
  );
}

class Walk implements ReplayWalk {
  readonly #scope: OpenScope | null;
  /** Gradients that have arrived at outputs of nodes, and at parameters. */
  readonly #atNodes = new Map<Node, (Tensor | null)[]>();
  readonly #atLeaves = new Map<Origin, Tensor>();
  readonly #wantedLeaves = new Set<Origin>();
  readonly #wantedOutputs = new Map<Node, Set<number>>();
  readonly #needed = new Set<Node>();

  constructor(
    readonly backend: Backend,
    readonly session: Session,
    params: readonly Tensor[],
    readonly retain: boolean,
  ) {
    this.#scope = session.scope;
    for (const { origin } of params) {
      if (origin?.node) this.#wantedOutputs.set(origin.node, (this.#wantedOutputs.get(origin.node) ?? new Set()).add(origin.index));
      else if (origin) this.#wantedLeaves.add(origin);
    }
  }

  start(loss: Tensor, seed: Tensor): void {
    if (!isTracked(loss))
      throw new GradientError("grad: the loss depends on no parameter. Mark the tensors to train with parameter() before they are used.");
    this.back([loss], [seed]);
  }

  result(p: Tensor, i: number): Tensor {
    const found = p.origin && (p.origin.node ? this.#atNodes.get(p.origin.node)?.[p.origin.index] : this.#atLeaves.get(p.origin));
    if (!found)
      throw new GradientError(
        `grad: the loss does not depend on parameter ${i} of shape ${show(p.shape)}${p.origin ? "" : ", which is not marked with parameter()"}.`,
      );
    return found.retain();
  }

  /** From these outputs back to the leaves, newest node first. Returns what arrived at the boundary. */
  back(outputs: readonly Tensor[], grads: readonly (Tensor | null)[], boundary: readonly (Tensor | null)[] = []): (Tensor | null)[] {
    for (const leaf of boundary) if (leaf?.origin) this.#wantedLeaves.add(leaf.origin);
    outputs.forEach((y, i) => {
      const g = grads[i];
      if (g && isTracked(y)) this.arrive(y.origin, g);
    });
    const nodes = reachable(outputs);
    this.#markNeeded(nodes);
    for (const node of nodes) {
      if (this.#atNodes.has(node) && this.#needed.has(node)) this.#pass(node);
      if (!this.retain) node.dispose();
    }
    return boundary.map((leaf) => (leaf?.origin ? (this.#atLeaves.get(leaf.origin) ?? null) : null));
  }

  /** Adds to what has arrived at a value. */
  arrive(at: Origin, grad: Tensor): void {
    const before = this.#arrived(at);
    this.#put(at, before ? add(before, grad) : grad);
  }

  /** The same for a slot of a rule: products add to what has arrived as they go, which saves a pass over it. */
  #arriveFrom(slot: Gradient, input: Tensor & { readonly origin: Origin }): void {
    const before = slot.onto && this.#arrived(input.origin);
    if (before) this.#put(input.origin, slot.onto(before));
    else this.arrive(input.origin, unbroadcast(slot(), input.shape));
  }

  #arrived(at: Origin): Tensor | null | undefined {
    return at.node ? this.#atNodes.get(at.node)?.[at.index] : this.#atLeaves.get(at);
  }

  /** Puts a sum in the place of what was there; it becomes the walk's own handle. */
  #put(at: Origin, total: Tensor): void {
    const own = within(this.session, { scope: this.#scope }, () => total.retain());
    this.#arrived(at)?.dispose();
    if (!at.node) this.#atLeaves.set(at, own);
    else {
      const row = this.#atNodes.get(at.node) ?? [];
      row[at.index] = own;
      this.#atNodes.set(at.node, row);
    }
  }

  /** Runs the rule of one node, then lets go of the gradients that it consumed. */
  #pass(node: Node): void {
    const grads = this.#atNodes.get(node)!;
    scope(this.backend, () => {
      if (node.replay) node.replay(this, grads);
      else {
        node.gradients!(grads).forEach((slot, i) => {
          const input = node.inputs[i]!;
          if (slot && isTracked(input) && this.#isNeeded(input.origin)) this.#arriveFrom(slot, input);
        });
      }
    });
    const wanted = this.#wantedOutputs.get(node);
    grads.forEach((g, i) => {
      if (!wanted?.has(i)) g?.dispose();
    });
    if (!wanted) this.#atNodes.delete(node);
  }

  #isNeeded(origin: Origin): boolean {
    return origin.node
      ? this.#needed.has(origin.node) || (this.#wantedOutputs.get(origin.node)?.has(origin.index) ?? false)
      : this.#wantedLeaves.has(origin);
  }

  /** A node is needed if a wanted value lies behind it. Nodes come newest first, so the oldest are decided first. */
  #markNeeded(nodes: readonly Node[]): void {
    for (const node of nodes.toReversed()) {
      if (node.replay || node.inputs.some((x) => isTracked(x) && this.#isNeeded(x.origin))) this.#needed.add(node);
    }
  }
}

/** Undoes broadcasting, here for every rule: sums over what was repeated. */
const unbroadcast = (g: Tensor, shape: Shape): Tensor => (sameShape(g.shape, shape) ? g : sumTo(g, shape));

/** Nodes that lead to these tensors, newest first: creation order is a topological order. */
function reachable(from: readonly Tensor[]): Node[] {
  const seen = new Set<Node>();
  const stack = from.flatMap((t) => t.origin?.node ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const x of node.inputs) if (isTracked(x) && x.origin.node) stack.push(x.origin.node);
  }
  return [...seen].sort((a, b) => b.id - a.id);
}
