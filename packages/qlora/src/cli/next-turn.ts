import { setImmediate } from "node:timers/promises";

/** Lets the event loop turn once: signals, keys and output wait for it, and a backend that is done when it returns never gives it a chance. */
export const nextTurn = (): Promise<void> => setImmediate();
