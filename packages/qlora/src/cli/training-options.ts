// Options that decide how large a run is: for train and plan.
import { z } from "zod";
import { ALL_LINEAR } from "../formats/peft-config.ts";
import { bytesOption } from "./bytes-option.ts";
import { choiceOption, numberOption, switchOption, textOption } from "./option-table.ts";

const whole = { expects: "a whole number, 1 or more" };

export const TRAINING_OPTIONS = {
  steps: numberOption("--steps <n>", z.int().positive().optional(), { help: "steps of the run; wins over --epochs", ...whole }),
  epochs: numberOption("--epochs <n>", z.number().positive().finite().default(1), {
    help: "times each row is seen; may be a fraction",
    expects: "a number above 0",
  }),
  batch: numberOption("--batch <rows>", z.int().positive().default(1), { help: "rows at a time", ...whole }),
  accumulate: numberOption("--accumulate <n>", z.int().positive().default(1), { help: "batches a step", ...whole }),
  order: choiceOption("--order <order>", ["shuffle", "file"], "shuffle", "the order of rows"),
  rank: numberOption("--rank <n>", z.int().positive().default(16), { help: "rank of the adapter's matrices", ...whole }),
  alpha: numberOption("--alpha <n>", z.number().positive().default(32), {
    help: "the adapter is scaled by alpha / rank",
    expects: "a number above 0",
  }),
  dropout: numberOption("--dropout <p>", z.number().min(0).lt(1).default(0), {
    help: "share of the adapter's inputs that is dropped",
    expects: "a number from 0 to below 1",
  }),
  targets: textOption("--targets <names>", z.union([z.literal(ALL_LINEAR), z.array(z.string().min(1)).min(1)]).default(ALL_LINEAR), {
    help: "layers to adapt: all-linear, or names such as q_proj,v_proj",
    expects: "all-linear, or names with commas between them",
  }),
  optimizer: choiceOption("--optimizer <name>", ["adamw", "adamw8bit"], "adamw", "moments in 32 or 8 bits"),
  pagerBudget: bytesOption(
    "--pager-budget <bytes>",
    z.int().positive().optional(),
    "the most bytes of moments on the device at one time; no limit by default",
  ),
  memory: bytesOption(
    "--memory <bytes>",
    z.int().positive().optional(),
    "what the run may take; decides what is recomputed. What is free by default",
  ),
  checkpointing: switchOption("--no-checkpointing", z.boolean().default(true), "keep all activations: faster, and much more memory"),
};
