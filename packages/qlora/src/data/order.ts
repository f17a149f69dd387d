// Which rows each step sees, as a pure function of the step: nothing to save but the step's number, so a resumed run sees what the first would have seen.
// "shuffle" goes through a fresh permutation each epoch, and the last step of an epoch takes what is left; "file" goes round in file order for ever.
import { bitsAt, fold, key } from "@qlora-js/core";

/** How rows are dealt out. */
export interface OrderOptions {
  readonly order: "shuffle" | "file";
  /** Rows in a micro-batch. */
  readonly batch: number;
  /** Micro-batches in a step. */
  readonly accumulate: number;
  readonly seed: number;
}

/** Names the stream of random numbers for the order, apart from those of dropout and initial weights under the same seed. */
const ORDER_STREAM = 0x6f726465; // "orde"

/** Deals out the rows of a data set. */
export class DataOrder {
  /** Steps after which every row has been seen at least once. */
  readonly stepsPerEpoch: number;
  #permutation: { readonly epoch: number; readonly rows: Uint32Array } | undefined;

  constructor(
    readonly rows: number,
    readonly options: OrderOptions,
  ) {
    this.stepsPerEpoch = Math.ceil(rows / (options.batch * options.accumulate));
  }

  /** Steps in a number of epochs, which may be a fraction: at least one. */
  stepsForEpochs(epochs: number): number {
    const { order, batch, accumulate } = this.options;
    const steps = order === "file" ? (epochs * this.rows) / (batch * accumulate) : epochs * this.stepsPerEpoch;
    return Math.max(1, Math.ceil(steps));
  }

  /** The micro-batches of a step, each a list of row indices. `step` counts from 0. */
  microBatches(step: number): number[][] {
    const { order, batch, accumulate } = this.options;
    const perStep = batch * accumulate;
    if (order === "file")
      return inBatches(
        range(step * perStep, perStep, (i) => i % this.rows),
        batch,
      );
    const epoch = Math.floor(step / this.stepsPerEpoch);
    const start = (step % this.stepsPerEpoch) * perStep;
    const permutation = this.#permutationOf(epoch);
    return inBatches(
      range(start, Math.min(perStep, this.rows - start), (i) => permutation[i] ?? 0),
      batch,
    );
  }

  #permutationOf(epoch: number): Uint32Array {
    if (this.#permutation?.epoch !== epoch) this.#permutation = { epoch, rows: permutation(this.rows, this.options.seed, epoch) };
    return this.#permutation.rows;
  }
}

/** The rows of a data set in file order, in batches: for evaluation. */
export const inFileOrder = (rows: number, batch: number): number[][] =>
  inBatches(
    range(0, rows, (i) => i),
    batch,
  );

/** A permutation of 0 … n − 1 keyed by seed and epoch (Fisher and Yates; the bias of scaling 32 bits to n is below n / 2³²). */
export function permutation(n: number, seed: number, epoch: number): Uint32Array {
  const stream = fold(fold(key(seed), ORDER_STREAM), epoch);
  const rows = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((bitsAt(stream, i) / 2 ** 32) * (i + 1));
    const row = rows[i] ?? 0;
    rows[i] = rows[j] ?? 0;
    rows[j] = row;
  }
  return rows;
}

const range = (start: number, count: number, at: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => at(start + i));

function inBatches(rows: readonly number[], batch: number): number[][] {
  return Array.from({ length: Math.ceil(rows.length / batch) }, (_, i) => rows.slice(i * batch, (i + 1) * batch));
}
