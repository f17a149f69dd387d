// A plan in words and as an event.
import type { QFormat } from "@qlora-js/core";
import { modelTensors } from "../config/model-tensors.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { showBytes } from "../plan/byte-size.ts";
import type { Change } from "../plan/cheapest-changes.ts";
import { type MemoryBudget, type RecomputeChoice, recomputeWords } from "../plan/choose-recompute.ts";
import type { Forecast } from "../plan/forecast.ts";
import { type AdapterRun, METHODS, type Method } from "../plan/methods.ts";
import type { StepPlan } from "../plan/steps.ts";
import { planTable } from "./memory-table.ts";
import type { Output } from "./output.ts";
import type { PlannedModel } from "./planned-model.ts";
import { tableLines } from "./table.ts";
import { count, percent, plural } from "./wording.ts";

export interface Plan {
  readonly model: PlannedModel;
  readonly run: AdapterRun;
  /** Which of the methods the run is. */
  readonly method: Method;
  readonly methods: Readonly<Record<Method, Forecast>>;
  readonly budget: MemoryBudget;
  /** Whether the budget was given; else it is what is free. */
  readonly budgetGiven: boolean;
  /** What a layer keeps for the backward pass by what is recomputed. */
  readonly layerBytes: Readonly<Record<Recomputation, number>>;
  readonly choice: RecomputeChoice;
  /** What to change where it does not fit. */
  readonly changes: readonly Change[];
  /** Undefined without data. */
  readonly steps: StepPlan | undefined;
}

/** Memory sizes of common machines and graphics cards, in GiB. */
const SIZES: readonly number[] = [8, 16, 24, 48, 80];

export function tellPlan(plan: Plan, output: Output): void {
  output.event("plan", planEvent(plan));
  const { methods, run } = plan;
  for (const [name, text] of headFacts(plan)) output.facts(name, text);
  output.line();
  const titles: Readonly<Record<Method, string>> = {
    full16: "16-bit full",
    lora: `LoRA ${run.dtype}`,
    qlora: `QLoRA ${(run.format?.name ?? "nf4").toUpperCase()}`,
  };
  const table = planTable(
    METHODS.map((method) => ({ title: titles[method], forecast: methods[method] })),
    SIZES,
  );
  for (const [i, line] of table.entries()) output.line(i === 0 ? output.colors.bold(line) : line);
  output.line();
  for (const line of verdictLines(plan)) output.line(line);
  output.event("done");
}

function headFacts({ model: { name, config }, run, methods, choice, layerBytes, steps }: Plan): (readonly [string, string])[] {
  const parameters = parametersOf(config);
  const { trainedParameters } = methods.qlora;
  const rows = `${plural(run.batch, "row")} of ${steps ? "up to " : ""}${count(run.length)} tokens`;
  const said = steps ? `, ${count(run.supervised)} supervised` : ", all supervised · no DATA given, --length changes it";
  const facts: (readonly [string, string])[] = [
    ["model", `${name} · ${billions(parameters)} parameters · ${config.layers} layers · ${run.dtype}`],
    [
      "adapter",
      `rank ${run.adapter.rank} · ${billions(trainedParameters)} parameters trained (${percent(trainedParameters / parameters)})`,
    ],
    ["weights", bitsWords(run.format)],
    ["batch", `${rows}${said}`],
  ];
  if (steps) {
    const epochs = Number(steps.epochs.toFixed(2));
    const of = count(steps.stepsPerEpoch);
    facts.push([
      "steps",
      `${plural(steps.steps, "step")} · ${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ${of} · ${count(steps.tokens)} tokens`,
    ]);
  }
  const { nothing, cheap, all } = layerBytes;
  return [
    ...facts,
    ["backward", recomputeWords(choice.recompute)],
    ["", `a layer: everything ${showBytes(nothing)} · products ${showBytes(cheap)} · inputs ${showBytes(all)}`],
  ];
}

/** The arithmetic of a format's bits a weight. */
function bitsWords(format: QFormat | null): string {
  if (!format) return "as in the file; QLoRA's column is NF4 with double quantization";
  const { name, blockSize, doubleQuant } = format;
  const bits = doubleQuant ? 4 + 8 / blockSize + 32 / (blockSize * 256) : 4 + 32 / blockSize;
  const sum = doubleQuant ? `4 + 8/${blockSize} + 32/(${blockSize}·256)` : `4 + 32/${blockSize}`;
  return `${name.toUpperCase()}, ${sum} = ${bits.toFixed(3)} bits each`;
}

function verdictLines({ budget, budgetGiven, methods, method, choice, changes }: Plan): string[] {
  const { totalBytes } = methods[method];
  const machine = budgetGiven ? `--memory allows ${showBytes(budget.totalBytes)}` : `${showBytes(budget.totalBytes)} are free here`;
  if (choice.fits) return [`  fits      ${showBytes(totalBytes)} are needed, ${machine}`];
  const limit = totalBytes > budget.totalBytes ? machine : `the CPU backend can address ${showBytes(budget.deviceBytes)}`;
  return [
    `  does not fit: ${showBytes(totalBytes)} are needed, ${limit}.`,
    "  The cheapest changes:",
    ...tableLines(
      changes.map(({ flags, cost, savedBytes, fits }) => [flags, `saves ${showBytes(savedBytes)}${fits ? ", enough" : ""}`, cost]),
      { indent: 4, text: [1, 2] },
    ),
  ];
}

const parametersOf = (config: PlannedModel["config"]): number =>
  modelTensors(config).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);

/** `65.3 B`, `134.5 M`, or all digits below a million. */
const billions = (n: number): string => (n < 1e6 ? count(n) : n < 999.5e6 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e9).toFixed(1)} B`);

function planEvent({ model, run, method, methods, budget, choice, changes, layerBytes, steps }: Plan): object {
  const { components, largest, deviceBytes, pagedBytes, runtimeBytes, totalBytes } = methods[method];
  return {
    model: model.name,
    parameters: parametersOf(model.config),
    trainedParameters: methods[method].trainedParameters,
    method,
    batch: run.batch,
    length: run.length,
    supervised: run.supervised,
    accumulate: run.accumulate,
    recompute: choice.recompute,
    layerBytes,
    components,
    largest,
    deviceBytes,
    pagedBytes,
    runtimeBytes,
    totalBytes,
    budgetBytes: budget.totalBytes,
    fits: choice.fits,
    methods,
    fitsIn: Object.fromEntries(METHODS.map((m) => [m, SIZES.filter((size) => methods[m].totalBytes <= size * 2 ** 30)])),
    ...(steps ?? {}),
    changes,
  };
}
