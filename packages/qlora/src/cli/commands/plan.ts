// `qlora plan MODEL [DATA]`: memory by component and steps, before anything is loaded: full fine-tuning in 16 bits, LoRA and QLoRA side by side.
import { z } from "zod";
import { UsageError } from "../../error.ts";
import { loraSettings } from "../../formats/peft-config.ts";
import { type BatchShape, batchShape } from "../../plan/batch-shape.ts";
import { cheapestChanges } from "../../plan/cheapest-changes.ts";
import { chooseRecompute, fitsBudget, type RecomputeChoice } from "../../plan/choose-recompute.ts";
import { type Forecast, forecast } from "../../plan/forecast.ts";
import { layerBytes } from "../../plan/layer-bytes.ts";
import { memoryBudget } from "../../plan/memory-budget.ts";
import { byMethod, METHODS, type Method, methodOf } from "../../plan/methods.ts";
import { planSteps, type StepPlan } from "../../plan/steps.ts";
import { adapterKind } from "../adapter-kind-options.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { localData } from "../from-hub.ts";
import { modelFormat } from "../model-format.ts";
import { workspaceOn } from "../open-backend.ts";
import { numberOption, type OptionValues } from "../option-table.ts";
import { BACKEND_OPTIONS, formatOf, HUB_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { tellPlan } from "../plan-report.ts";
import { type PlannedModel, plannedModel } from "../planned-model.ts";
import { readExamples } from "../read-examples.ts";
import { checkTargets } from "../train/lora-choice.ts";
import { batchesOfStep, TRAINING_OPTIONS } from "../training-options.ts";

const OPTIONS = {
  length: numberOption("--length <tokens>", z.int().min(2).optional(), {
    help: "tokens a row where there is no data; 512, or the model's positions if they are fewer",
    expects: "a whole number, 2 or more",
  }),
  ...TRAINING_OPTIONS,
  backend: BACKEND_OPTIONS.backend,
  weightsBudget: BACKEND_OPTIONS.weightsBudget,
  ...HUB_OPTIONS,
};
export type PlanOptions = OptionValues<typeof OPTIONS>;

export const planCommand = defineCommand({
  args: "<model> [data]",
  summary: "Memory and steps of a run; MODEL may be a config.json alone, or llama-7b, -13b, -33b, -65b",
  options: OPTIONS,
  run,
});

/** Tokens a row where there is no data. */
const DEFAULT_LENGTH = 512;
/** As train's. */
const DEFAULT_EPOCHS = 3;

async function run({ args, options, given, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const model = await plannedModel(args[0]!, { ...options, output });
  const { config, dtype, stored } = model;
  const { shape, steps } =
    args[1] === undefined
      ? { shape: assumedShape(model, options), steps: undefined }
      : await ofData(args[1], model, { ...options, accumulate: batchesOfStep(options, given) }, output);
  checkTargets(options.targets, config);
  const adapter = loraSettings({
    rank: options.rank,
    alpha: options.alpha,
    dropout: options.dropout,
    targetModules: options.targets,
    ...adapterKind(options),
  });
  const base = {
    ...shape,
    dtype,
    stored,
    format: formatOf(model.folder ? await modelFormat(model.folder, options, given) : options),
    adapter,
    accumulate: batchesOfStep(options, given),
    optimizerBits: options.optimizer === "adamw8bit" ? 8 : 32,
    ...(options.pagerBudget === undefined ? {} : { pagerBudget: options.pagerBudget }),
    ...(options.weightsBudget === undefined ? {} : { weightsBudget: options.weightsBudget }),
    ...(await workspaceOn(options.backend)),
  } as const;
  const budget = memoryBudget(options.memory);
  const choice = options.checkpointing ? chooseRecompute(config, base, budget) : keepAll();
  const chosen = { ...base, recompute: choice.recompute };
  const methods = Object.fromEntries(METHODS.map((method) => [method, forecast(config, byMethod(method, chosen))])) as Record<
    Method,
    Forecast
  >;
  const changes = choice.fits ? [] : cheapestChanges(config, chosen, budget);
  tellPlan(
    {
      model,
      run: chosen,
      method: methodOf(chosen),
      methods,
      budget,
      budgetGiven: options.memory !== undefined,
      choice,
      layerBytes: layerBytes(config, chosen),
      changes,
      steps,
    },
    output,
  );

  function keepAll(): RecomputeChoice {
    const recompute = Array(config.layers).fill("nothing");
    const all = forecast(config, { ...base, recompute });
    return { recompute, forecast: all, fits: fitsBudget(all, budget) };
  }
}

function assumedShape({ config }: PlannedModel, { batch, length, maxLength }: PlanOptions): BatchShape {
  const tokens = length ?? maxLength ?? Math.min(DEFAULT_LENGTH, config.maxPositions);
  if (tokens > config.maxPositions) {
    const what = `is ${tokens}, and the model has positions for ${config.maxPositions}. Give at most that.`;
    throw new UsageError("--length", what, { length: tokens, maxPositions: config.maxPositions });
  }
  return { batch, length: tokens, supervised: batch * (tokens - 1) };
}

async function ofData(
  data: string,
  { folder, name }: PlannedModel,
  options: PlanOptions & { readonly accumulate: number },
  output: Output,
): Promise<{ shape: BatchShape; steps: StepPlan }> {
  if (!folder)
    throw new UsageError(name, "is a shape without a tokenizer, so data cannot be measured. Leave DATA out, or give a model's folder.");
  const { train } = await localData(data, { ...options, output });
  const { examples } = await readExamples(train, folder, options.maxLength);
  const lengths = examples.map(({ inputIds }) => inputIds.length);
  return {
    shape: batchShape(examples, options.batch),
    steps: planSteps(lengths, { ...options, epochs: options.epochs ?? DEFAULT_EPOCHS }),
  };
}
