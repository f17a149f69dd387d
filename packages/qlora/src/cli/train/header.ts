// What train prints before it starts: the data, what the loss is on, memory, the plan. Every number is one to act on.
import type { Example } from "../../data/tokenize.ts";
import { showBytes } from "../../plan/byte-size.ts";
import { type RecomputeChoice, recomputeWords } from "../../plan/choose-recompute.ts";
import type { StepPlan } from "../../plan/steps.ts";
import type { RunOptions } from "../../run/manifest.ts";
import { dataLine, lossLine, previewLine, tokensLine } from "../data-lines.ts";
import type { ModelFolder } from "../open-model.ts";
import { formatWords } from "../options.ts";
import type { Output } from "../output.ts";
import type { DataExamples } from "../read-examples.ts";
import { count, plural, rate } from "../wording.ts";

const INDENT = 12;

/** What the data are. */
export function printData(output: Output, folder: ModelFolder, train: DataExamples, valid: DataExamples | undefined): void {
  output.facts("data", dataLine(train.statistics, valid?.statistics, folder));
  output.facts("tokens", tokensLine(train.statistics));
  output.facts("loss on", lossLine(train.statistics, folder));
  output.line(`  preview   ${previewLine(train.examples[0] as Example, folder, output.colors, output.columns - INDENT)}`);
  output.event("data", { train: train.statistics, valid: valid?.statistics ?? null });
}

/** What memory it takes, and the plan. */
export function printPlan(output: Output, options: RunOptions, { forecast, recompute }: RecomputeChoice, plan: StepPlan): void {
  const { weights, scales, embeddings, norms, adapter, gradients, optimizer, activations, head, transient } = forecast.components;
  const parts = [
    `${options.format === "none" ? "weights" : options.format.toUpperCase()} ${showBytes(weights + scales)}`,
    `embeddings ${showBytes(embeddings + norms)}`,
    `LoRA + AdamW ${showBytes(adapter + gradients + optimizer)}`,
    `activations ${showBytes(activations + transient)}`,
    ...(head > 0 ? [`loss ${showBytes(head)}`] : []),
    `program ${showBytes(forecast.runtimeBytes)}`,
  ];
  const { steps, batch, accumulate, lr, schedule, warmup, seed, rank, alpha } = options;
  const epochs = `${Number(plan.epochs.toFixed(1))} ${plan.epochs === 1 ? "epoch" : "epochs"}`;
  output.facts("memory", `${parts.join(" · ")} = ${showBytes(forecast.totalBytes)} (${recomputeWords(recompute)})`);
  const kind = [`rank ${rank}`, `alpha ${alpha}`, ...kindWords(options)].join(" · ");
  output.facts("adapter", `${kind} · ${count(forecast.trainedParameters)} numbers trained over ${formatWords(options)}`);
  const warm = warmup > 0 ? `, ${warmup} warm-up` : "";
  const batches = `batch ${batch}×${accumulate}`;
  output.facts("plan", `${epochs} · ${plural(steps, "step")} · ${batches} · lr ${rate(lr)} ${schedule}${warm} · seed ${seed}`);
  output.event("plan", { ...plan, options, recompute, memory: forecast });
}

/** What is not plain LoRA about an adapter. */
function kindWords({ dora, rslora, init, modulesToSave, bias }: RunOptions): string[] {
  return [
    ...(dora ? ["DoRA"] : []),
    ...(rslora ? ["rsLoRA"] : []),
    ...(init === "default" ? [] : [`begun by ${init}`]),
    ...(modulesToSave.length > 0 ? [`${modulesToSave.join(", ")} trained whole`] : []),
    ...(bias === "none" ? [] : [`biases: ${bias}`]),
  ];
}
