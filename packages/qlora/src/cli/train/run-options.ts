// The options of a run, resolved: what was given, what a run that is gone on with had, what an adapter that is started from says, and how many steps it is.
import { UsageError } from "../../error.ts";
import { planSteps, type StepPlan } from "../../plan/steps.ts";
import type { RunOptions } from "../../run/manifest.ts";
import { batchesOfStep, MOST_STEPS, type TrainingOptions, warmupSteps } from "../training-options.ts";

/** Times each row is seen where neither steps nor epochs are given. */
const EPOCHS = 3;
/** A run is saved and evaluated about so many times. */
const SAVES = 10;
const EVALUATIONS = 5;

/** Options of train that say when, not how. */
interface Intervals {
  readonly saveEvery: number | undefined;
  readonly evalEvery: number | undefined;
}

/** What the file of `--adapter-config` says. */
interface Configured {
  readonly adapterConfig?: string | undefined;
}

export type GivenOptions = TrainingOptions & Intervals & Configured;

/** What was given, and for the rest what the run had that is gone on with. */
export function withSaved(options: GivenOptions, given: ReadonlySet<string>, saved: RunOptions): GivenOptions {
  const had = Object.entries(saved).map(([key, value]) => [key, value ?? undefined] as const);
  const own = Object.entries(options).filter(([key]) => given.has(key));
  // epochs stand for steps: where they are given, the run's own number is none
  const steps = given.has("epochs") && !given.has("steps") ? { steps: undefined } : {};
  return { ...options, ...(Object.fromEntries([...had, ...own]) as Partial<GivenOptions>), ...steps };
}

export interface ResolvedRun {
  readonly options: RunOptions;
  readonly plan: StepPlan;
}

const kindOf = ({ dora, rslora, init, modulesToSave, bias }: GivenOptions) => {
  return { dora, rslora, init, modulesToSave: [...modulesToSave], bias };
};

/**
 * All options of a run over rows of these lengths.
 * @throws UsageError if steps and epochs are both given
 */
export function resolveRun(options: GivenOptions, given: ReadonlySet<string>, lengths: readonly number[]): ResolvedRun {
  if (given.has("steps") && given.has("epochs")) throw new UsageError("--steps", "and --epochs are both given. Give one.");
  const { batch, order } = options;
  const accumulate = batchesOfStep(options, given);
  const plan = planSteps(lengths, { steps: options.steps, epochs: options.epochs ?? EPOCHS, batch, accumulate, order });
  const { steps } = plan;
  if (!(steps <= MOST_STEPS)) {
    throw new UsageError("--epochs", `is ${options.epochs}, which would be ${steps} steps. Give fewer.`, { epochs: options.epochs, steps });
  }
  const resolved: RunOptions = {
    steps,
    batch,
    accumulate,
    lr: options.lr,
    schedule: options.schedule,
    warmup: warmupSteps(options, steps),
    rank: options.rank,
    alpha: options.alpha,
    dropout: options.dropout,
    targets: typeof options.targets === "string" ? options.targets : [...options.targets],
    ...kindOf(options),
    adapterConfig: options.adapterConfig ?? null,
    weightDecay: options.weightDecay,
    clip: options.clip,
    optimizer: options.optimizer,
    format: options.format,
    blockSize: options.blockSize,
    doubleQuant: options.doubleQuant,
    maxLength: options.maxLength ?? null,
    order,
    seed: options.seed,
    pagerBudget: options.pagerBudget ?? null,
    checkpointing: options.checkpointing,
    saveEvery: options.saveEvery ?? Math.ceil(steps / SAVES),
    evalEvery: options.evalEvery ?? Math.ceil(steps / EVALUATIONS),
  };
  return { options: resolved, plan };
}
