// How many steps a run is, and how many tokens go by: from rows, epochs, batch and accumulation.
import { DataOrder, type OrderOptions } from "../data/order.ts";

/** What the number of steps follows from. */
export interface StepOptions extends Omit<OrderOptions, "seed"> {
  /** Steps of the run; wins over epochs. */
  readonly steps?: number | undefined;
  /** Times each row is seen; may be a fraction. */
  readonly epochs: number;
}

/** How long a run is. */
export interface StepPlan {
  readonly steps: number;
  /** Times each row is seen. */
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Tokens of all steps together, without padding. */
  readonly tokens: number;
}

/**
 * Plans the steps over rows of these lengths.
 * @param lengths tokens of each row
 */
export function planSteps(lengths: readonly number[], { steps: wanted, epochs, ...how }: StepOptions): StepPlan {
  const order = new DataOrder(lengths.length, { ...how, seed: 0 });
  const steps = wanted ?? order.stepsForEpochs(epochs);
  const rowsSeen = rowsOf(steps, lengths.length, order.stepsPerEpoch, how);
  const tokens = lengths.reduce((a, b) => a + b, 0);
  const times = rowsSeen / lengths.length;
  return { steps, epochs: times, stepsPerEpoch: order.stepsPerEpoch, tokens: Math.round(times * tokens) };
}

/** Rows in so many steps: in shuffled order the last step of an epoch takes what is left. */
function rowsOf(steps: number, rows: number, stepsPerEpoch: number, { order, batch, accumulate }: Omit<OrderOptions, "seed">): number {
  const perStep = batch * accumulate;
  if (order === "file") return steps * perStep;
  return Math.floor(steps / stepsPerEpoch) * rows + (steps % stepsPerEpoch) * perStep;
}
