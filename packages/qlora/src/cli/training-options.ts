// What a run is trained with: for train, and for plan, which says beforehand what it takes.
import { z } from "zod";
import { ALL_LINEAR } from "../formats/peft-config.ts";
import { ADAPTER_KIND_OPTIONS } from "./adapter-kind-options.ts";
import { bytesOption } from "./bytes-option.ts";
import { LENGTH_OPTIONS } from "./data-options.ts";
import { choiceOption, numberOption, type OptionRow, type OptionValues, switchOption } from "./option-table.ts";
import { FORMAT_OPTIONS, SEED_OPTIONS } from "./options.ts";

/** Steps of a run at most; no one waits for so many. */
export const MOST_STEPS = 1e9;
/** Rows at a time, batches a step and ranks at most: far above any use, so that a slip of the finger asks for no more than a machine has. */
const MOST = 4096;
const counted = { expects: `a whole number from 1 to ${MOST}` };
const aboveZero = { expects: "a number above 0" };
const notNegative = { expects: "a number, 0 or more" };

/** Layers to adapt, as `loraSettings` takes them. */
const TARGETS: OptionRow<typeof ALL_LINEAR | string[]> = {
  flags: "--targets <names>",
  help: "layers to adapt: all-linear, or names such as q_proj,v_proj",
  expects: "all-linear, or names with commas between them",
  fromText: (text) => (text === ALL_LINEAR ? text : text.split(",").map((name) => name.trim())),
  schema: z.union([z.literal(ALL_LINEAR), z.array(z.string().min(1)).min(1)]).default(ALL_LINEAR),
};

export const TRAINING_OPTIONS = {
  steps: numberOption("--steps <n>", z.int().positive().max(MOST_STEPS).optional(), {
    help: "steps of the run; or give --epochs",
    expects: "a whole number from 1 to a thousand million",
  }),
  epochs: numberOption("--epochs <n>", z.number().positive().finite().optional(), {
    help: "times each row is seen, may be a fraction; 3 by default",
    ...aboveZero,
  }),
  batch: numberOption("--batch <rows>", z.int().positive().max(MOST).default(2), { help: "rows at a time", ...counted }),
  accumulate: numberOption("--accumulate <n>", z.int().positive().max(MOST).optional(), {
    help: "batches a step; by default 4, and 1 where --batch is given",
    ...counted,
  }),
  ...LENGTH_OPTIONS,
  order: choiceOption("--order <order>", ["shuffle", "file"], "shuffle", "the order of rows"),
  ...SEED_OPTIONS,
  lr: numberOption("--lr <rate>", z.number().positive().finite().default(2e-4), { help: "learning rate", ...aboveZero }),
  schedule: choiceOption("--schedule <name>", ["constant", "linear", "cosine"], "constant", "how the learning rate goes down"),
  warmup: numberOption("--warmup <n>", z.number().nonnegative().finite().default(0), {
    help: "steps in which the learning rate goes up; below 1: a share of all steps",
    ...notNegative,
  }),
  clip: numberOption("--clip <norm>", z.number().nonnegative().finite().default(0.3), {
    help: "the largest norm of all gradients together; 0 never clips",
    ...notNegative,
  }),
  weightDecay: numberOption("--weight-decay <n>", z.number().nonnegative().finite().default(0), {
    help: "pull of the adapter towards zero",
    ...notNegative,
  }),
  rank: numberOption("--rank <n>", z.int().positive().max(MOST).default(16), { help: "rank of the adapter's matrices", ...counted }),
  alpha: numberOption("--alpha <n>", z.number().positive().finite().default(32), {
    help: "the adapter is scaled by alpha / rank",
    ...aboveZero,
  }),
  dropout: numberOption("--dropout <p>", z.number().min(0).lt(1).default(0), {
    help: "share of the adapter's inputs that is dropped",
    expects: "a number from 0 to below 1",
  }),
  targets: TARGETS,
  ...ADAPTER_KIND_OPTIONS,
  optimizer: choiceOption("--optimizer <name>", ["adamw", "adamw8bit"], "adamw", "moments in 32 or 8 bits"),
  pagerBudget: bytesOption(
    "--pager-budget <bytes>",
    z.int().positive().optional(),
    "the most bytes of moments on the device at one time; no limit by default",
  ),
  memory: bytesOption(
    "--memory <bytes>",
    z.int().positive().optional(),
    "what the run may take; decides what is recomputed. By default what is free",
  ),
  checkpointing: switchOption("--no-checkpointing", z.boolean().default(true), "keep all activations: faster, and much more memory"),
  ...FORMAT_OPTIONS,
};
export type TrainingOptions = OptionValues<typeof TRAINING_OPTIONS>;

/** Batches that make a step: who says how many rows a batch has, and no more, means a step of so many. */
export const batchesOfStep = ({ accumulate }: Pick<TrainingOptions, "accumulate">, given: ReadonlySet<string>): number =>
  accumulate ?? (given.has("batch") ? 1 : 4);

/** Steps in which the learning rate goes up. */
export const warmupSteps = ({ warmup }: Pick<TrainingOptions, "warmup">, steps: number): number =>
  warmup < 1 ? Math.round(warmup * steps) : Math.min(steps, Math.round(warmup));
