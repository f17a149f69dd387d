// Work whose parts are counted, as it is told: a status line with the time left at a terminal, an event now and then in a pipe. Short work says nothing there.
import type { Output } from "./output.ts";
import { duration } from "./wording.ts";

/** So often an event; and the time left is not guessed before. */
const EVENT_MS = 5000;
const GUESS_MS = 1000;

export class CountedWork {
  readonly #start: number;
  #said: number;

  constructor(
    readonly output: Output,
    /** What is being done: `loading`. */
    readonly what: string,
    /** What is counted, `rows`; bytes are shown as a share. */
    readonly unit = "bytes",
    readonly now: () => number = () => performance.now(),
  ) {
    this.#start = this.#said = now();
  }

  /** Shows that so many are done. */
  readonly show = (done: number, of: number): void => {
    const now = this.now();
    const secondsLeft = done > 0 ? ((now - this.#start) / 1000 / done) * Math.max(0, of - done) : undefined;
    const far = this.unit === "bytes" ? `${Math.floor((100 * done) / Math.max(1, of))} %` : `${done}/${of} ${this.unit}`;
    const left = secondsLeft === undefined || now - this.#start < GUESS_MS ? "" : ` · ${duration(secondsLeft)} left`;
    this.output.status(`  ${this.what.padEnd(9)} ${far}${left}`);
    if (now - this.#said < EVENT_MS) return;
    this.#said = now;
    this.output.event("progress", { what: this.what, done, of, unit: this.unit, secondsLeft: secondsLeft && Math.round(secondsLeft) });
  };
}
