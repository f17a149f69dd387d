// Trades time for memory: runs a part of the model without recording it, and runs it again when the backward pass gets there.
import { GradientError } from "./error.ts";
import type { Node, ReplayWalk } from "./node.ts";
import { isTracked } from "./op.ts";
import { Rehearsal } from "./rehearsal.ts";
import { scope } from "./scope.ts";
import { type Session, sessionOf, within } from "./session.ts";
import type { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";

/** What a checkpoint keeps of its first run. */
export interface CheckpointOptions {
  /** Keep the outputs of dear ops (large matrix products), so that only cheap ops run twice: more memory, less time. */
  readonly keepProducts?: boolean;
}

/**
 * fn(...inputs), holding only the inputs (and, with keepProducts, the products) until the backward pass. Parameters that fn closes over get their gradients.
 * fn must do the same each time it is called; random ops do, since their numbers are a function of a key (random.ts).
 */
export function checkpoint<I extends readonly Tensor[]>(
  fn: (...inputs: I) => Tensor,
  inputs: I,
  { keepProducts = false }: CheckpointOptions = {},
): Tensor {
  const { backend } = inputs[0]!;
  const session = sessionOf(backend);
  if (session.recording !== "on" || session.replaying) return fn(...inputs);
  const rehearsal = new Rehearsal(keepProducts);
  try {
    const { output, tracked } = within(session, { recording: "dry", sawTracked: false, rehearsing: rehearsal }, () => {
      const output = scope(backend, () => fn(...inputs).retain()); // a handle of our own: fn may return what is not its own
      return { output, tracked: session.sawTracked };
    });
    if (!tracked) {
      rehearsal.dispose();
      return output;
    }
    rehearsal.finish();
    const node = new CheckpointNode(session, fn as (...inputs: readonly Tensor[]) => Tensor, inputs, rehearsal);
    session.scope?.made.add(node);
    const result = new Tensor(output.storage.retain(), output.shape, output.dtype, { node, index: 0 });
    output.dispose();
    return result;
  } catch (error) {
    rehearsal.dispose();
    throw error;
  }
}

class CheckpointNode implements Node {
  readonly op = "checkpoint";
  readonly id: number;
  readonly #held: Storage[];
  #disposed = false;

  constructor(
    readonly session: Session,
    readonly fn: (...inputs: readonly Tensor[]) => Tensor,
    readonly inputs: readonly Tensor[],
    readonly rehearsal: Rehearsal,
  ) {
    this.id = session.nextNodeId++;
    this.#held = inputs.map((x) => x.storage.retain());
  }

  replay(walk: ReplayWalk, grads: readonly (Tensor | null)[]): void {
    if (this.#disposed) throw new GradientError("checkpoint: an earlier grad() let go of what it held. Give that one { retain: true }.");
    // stand-ins for the inputs: leaves of their own, so that the inner walk ends at them
    const leaves = this.inputs.map((x) => new Tensor(x.storage.retain(), x.shape, x.dtype, isTracked(x) ? { node: null, index: 0 } : null));
    this.rehearsal.rewind();
    const output = within(this.session, { recording: "on", replaying: this.rehearsal }, () => this.fn(...leaves));
    this.rehearsal.checkComplete();
    const arrived = walk.back(
      [output],
      grads,
      leaves.map((leaf) => (leaf.origin ? leaf : null)),
    );
    this.inputs.forEach((x, i) => {
      const g = arrived[i];
      if (g && isTracked(x)) walk.arrive(x.origin, g);
      g?.dispose();
    });
  }

  dispose(): void {
    this.#disposed = true;
    for (const storage of this.#held.splice(0)) storage.release();
    this.rehearsal.dispose();
  }
}
