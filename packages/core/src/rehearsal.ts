// The first run of a checkpointed function, remembered: which ops ran, and what of it the backward pass will read. The second run then computes only
// that: an op whose outputs no gradient rule reads, and no computed op takes, is recorded but not run; a dear op with a kept output is not run either.
import { GradientError } from "./error.ts";
import type { Storage } from "./storage.ts";

/** What the second run does at one op. */
export interface Step {
  readonly op: string;
  /** Outputs of the first run, if they were kept. */
  readonly kept: readonly Storage[] | null;
  /** Whether the kernel runs; if it does not and nothing was kept, nobody reads the outputs. */
  readonly runs: boolean;
}

interface Heard {
  readonly op: string;
  readonly inputs: readonly Storage[];
  readonly outputs: readonly Storage[];
  /** Inputs and outputs that the op's rule reads. */
  readonly read: readonly Storage[];
  /** The outputs, held until it is known whether somebody reads them; null for an op that is computed again. */
  readonly held: readonly Storage[] | null;
}

export class Rehearsal {
  #heard: Heard[] = [];
  #steps: Step[] = [];
  #next = 0;

  constructor(readonly keepDear: boolean) {}

  /** Notes an op of the first run. */
  hear(op: string, inputs: readonly Storage[], outputs: readonly Storage[], read: readonly Storage[], dear: boolean): void {
    const held = dear && this.keepDear ? outputs.map((s) => s.retain()) : null;
    this.#heard.push({ op, inputs, outputs, read, held });
  }

  /** Ends the first run: from the last op to the first, who reads what. */
  finish(): void {
    const needed = new Set<Storage>();
    for (const { op, inputs, outputs, read, held } of this.#heard.toReversed()) {
      for (const storage of read) if (outputs.includes(storage)) needed.add(storage);
      const wanted = outputs.some((s) => needed.has(s));
      const kept = wanted ? held : null;
      if (!kept) for (const storage of held ?? []) storage.release();
      const runs = wanted && !kept;
      this.#steps.push({ op, kept, runs });
      for (const storage of runs ? [...inputs, ...read] : read) needed.add(storage);
    }
    this.#steps.reverse();
    this.#heard = [];
  }

  /** Begins the second run. */
  rewind(): void {
    this.#next = 0;
  }

  /** The next op of the second run. @throws GradientError if the first run did something else here */
  take(op: string): Step {
    const step = this.#steps[this.#next++];
    if (step?.op !== op) {
      throw new GradientError(
        `checkpoint: the function ran "${op}" in the backward pass where it had run "${step?.op ?? "nothing"}" before. It must do the same each time.`,
      );
    }
    return step;
  }

  /** @throws GradientError if the second run ended early */
  checkComplete(): void {
    const step = this.#steps[this.#next];
    if (step)
      throw new GradientError(
        `checkpoint: the function ended in the backward pass where it had run "${step.op}" before. It must do the same each time.`,
      );
  }

  dispose(): void {
    for (const { held } of this.#heard.splice(0)) for (const storage of held ?? []) storage.release();
    for (const { kept } of this.#steps.splice(0)) for (const storage of kept ?? []) storage.release();
  }
}
