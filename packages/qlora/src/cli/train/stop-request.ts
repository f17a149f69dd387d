// Ctrl-C in a run: the first asks it to stop after the step it is in, the second quits at once.
import { INTERRUPTED } from "../failure.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class StopRequest {
  #requested = false;
  readonly #onSignal: () => void;

  /** Listens from now on. @param onFirst says that it was heard */
  constructor(onFirst: () => void) {
    this.#onSignal = () => {
      if (this.#requested) process.exit(INTERRUPTED);
      this.#requested = true;
      onFirst();
    };
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  get requested(): boolean {
    return this.#requested;
  }

  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}
