// `qlora demo`: the embedded micro model learns to answer like a pirate, over frozen 4-bit weights, in less than a minute; and shows what that took.
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { microDemoUrl, microModelUrl } from "../../micro/location.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { runDemo } from "../demo/run-demo.ts";
import { numberOption } from "../option-table.ts";
import { BACKEND_OPTIONS, SEED_OPTIONS } from "../options.ts";

const OPTIONS = {
  steps: numberOption("--steps <n>", z.int().positive().default(160), { help: "steps of training", expects: "a whole number, 1 or more" }),
  ...SEED_OPTIONS,
  ...BACKEND_OPTIONS,
};

export const demoCommand = defineCommand({
  args: "",
  summary: "Fine-tune the embedded micro model in less than a minute, before and after, with memory by method",
  options: OPTIONS,
  run: ({ options, output }: Invocation<typeof OPTIONS>) =>
    runDemo({ ...options, on: options, model: fileURLToPath(microModelUrl()), data: fileURLToPath(microDemoUrl()) }, output),
});
