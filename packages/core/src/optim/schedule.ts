// How the learning rate changes over a run: a factor between 0 and 1 that depends on the step alone, so resuming needs no state.
// The factors are those of transformers' get_constant_schedule_with_warmup and its linear and cosine kin.
import { ArgumentError } from "../error.ts";

/** How the learning rate goes down after its warm-up: not, in a line to 0, or by half a cosine to 0. */
export type Schedule = "constant" | "linear" | "cosine";

/** A schedule, and how long it and its warm-up are, in steps. */
export interface ScheduleOptions {
  /** Steps over which the factor rises from 0 to 1; 0 for none. */
  readonly warmupSteps: number;
  /** Steps of the whole run, warm-up included; where linear and cosine reach 0. */
  readonly totalSteps: number;
}

/**
 * What the learning rate is multiplied by.
 * @param stepsDone optimizer steps taken before this one: 0 at the first, which with warm-up has factor 0
 * @throws ArgumentError unless the counts are whole numbers, 0 or more
 */
export function scheduleFactor(schedule: Schedule, stepsDone: number, { warmupSteps, totalSteps }: ScheduleOptions): number {
  for (const [name, value] of Object.entries({ stepsDone, warmupSteps, totalSteps }))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ArgumentError("scheduleFactor", name, value, `${name} is ${value}. It counts steps: a whole number, 0 or more.`);
  if (stepsDone < warmupSteps) return stepsDone / warmupSteps;
  const decaySteps = Math.max(1, totalSteps - warmupSteps);
  switch (schedule) {
    case "constant":
      return 1;
    case "linear":
      return Math.max(0, (totalSteps - stepsDone) / decaySteps);
    case "cosine":
      // Half a wave, and on past its end: beyond totalSteps the factor rises again, as transformers' does.
      return 0.5 * (1 + Math.cos((Math.PI * (stepsDone - warmupSteps)) / decaySteps));
    default:
      throw new ArgumentError(
        "scheduleFactor",
        "schedule",
        schedule satisfies never,
        `there is no schedule "${schedule}". Use constant, linear or cosine.`,
      );
  }
}
