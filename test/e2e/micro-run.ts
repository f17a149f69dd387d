// A short run of the embedded micro model: what backends are compared on through the command.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MICRO = fileURLToPath(new URL("../../packages/qlora/micro/", import.meta.url));
export const MICRO_MODEL = join(MICRO, "model");

/** Model, data and options of `train`, with dropout, so that its bits are compared too. */
export const microRun = (accumulate: number): string[] => [
  ...[MICRO_MODEL, join(MICRO, "demo", "train.jsonl"), "--no-samples"],
  ...["--batch", "2", "--accumulate", String(accumulate), "--dropout", "0.1", "--lr", "2e-3"],
];
