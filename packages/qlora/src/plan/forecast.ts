// How much memory a run takes, by component, from the model's config and the options alone: one training step run on a device that only counts.
// What is counted is the most bytes live at one time, which is what a backend's memory().peakBytes measures.
import { type Backend, empty, fold, key, Pager, type QFormat, scope, square, sum, type Tensor } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { LoraSettings } from "../formats/peft-config.ts";
import type { LanguageModel } from "../models/language-model.ts";
import type { StoredWeights, WeightDType } from "../models/weight-form.ts";
import type { ForwardPass, Recomputation } from "../nn/forward-pass.ts";
import { QuantizedLinear } from "../nn/quantized-linear.ts";
import { ADAMW_DEFAULTS, PagedAdamW } from "../optimizer/paged-adamw.ts";
import { tokenLosses } from "../train/token-losses.ts";
import type { BatchShape } from "./batch-shape.ts";
import { type ComponentBytes, sumOf } from "./component.ts";
import { CountingDevice } from "./counting-device.ts";
import { FullFineTuning } from "./full-fine-tuning.ts";
import { blankBatch, microBatch } from "./micro-batch.ts";
import { runtimeBytes } from "./runtime-bytes.ts";
import { skeletonAdapter, skeletonModel } from "./skeleton.ts";
import type { Workspace } from "./workspace.ts";

/** What of a run its memory depends on. */
export interface ForecastOptions {
  /** What the file's weights are in; embeddings and head keep it. */
  readonly dtype: WeightDType;
  /** What the file has of each weight, where they are not all the same: 4-bit ones stay as they are, and so do others beside them. */
  readonly stored?: StoredWeights;
  /** What linear weights are stored in; null keeps the file's type. */
  readonly format: QFormat | null;
  /** The adapter; null trains every weight (over plain weights only). */
  readonly adapter: LoraSettings | null;
  /** Rows of a micro-batch. */
  readonly batch: number;
  /** Tokens of its longest row. */
  readonly length: number;
  /** Tokens of its longest source, for models with an encoder; as `length` where left out. */
  readonly source?: number;
  /** Tokens of a micro-batch that the loss is on. */
  readonly supervised: number;
  /** Micro-batches in a step. */
  readonly accumulate: number;
  /** Bits of the optimizer's moments. */
  readonly optimizerBits: 32 | 8;
  /** The most bytes of moments on the device at one time; no limit if left out. */
  readonly pagerBudget?: number;
  /** The most bytes of quantized weights on the device at one time; no limit if left out. */
  readonly weightsBudget?: number;
  /** One a layer; the last stands for those left out. */
  readonly recompute: readonly Recomputation[];
  /** What kernels of the backend in question take while they run; the CPU's where left out. */
  readonly workspace?: Workspace;
}

/** What a run takes, in bytes. */
export interface Forecast {
  /** Bytes on the device at the moment when they are most. */
  readonly components: ComponentBytes;
  /** The most bytes of each, not all at one time: gradients grow while activations go. */
  readonly largest: ComponentBytes;
  /** The sum of `components`: what memory().peakBytes of the backend will be. */
  readonly deviceBytes: number;
  /** Moments that wait on the host because the pager's budget keeps them off the device; and all quantized weights, if they have a budget. */
  readonly pagedBytes: number;
  /** The process without its buffers. */
  readonly runtimeBytes: number;
  /** Of the whole process: the device's bytes (on the CPU they are the process's own), what is paged out, and the runtime. */
  readonly totalBytes: number;
  /** Kept from the forward pass for the backward pass, when it begins: more than `components.activations` where the peak is elsewhere. */
  readonly keptBytes: number;
  /** Numbers that are trained. */
  readonly trainedParameters: number;
}

/**
 * What a run will take.
 * @param onRun hears of every op that a step runs
 * @throws UsageError if the adapter's settings name no layer, ArgumentError if a page of moments does not fit the budget
 */
export function forecast(config: ModelConfig, options: ForecastOptions, onRun?: Backend["run"]): Forecast {
  const device = new CountingDevice(onRun, options.workspace);
  const model = skeletonModel(device, config, {
    dtype: options.dtype,
    stored: options.stored ?? new Map(),
    format: options.format,
    as: (component, make) => device.as(component, make),
    label: (tensors, component) =>
      device.label(
        tensors.flatMap((t) => t.views()),
        component,
      ),
  });
  const quantized = quantizedBytes(model);
  const { parameters, losses } = options.adapter ? adapted(device, model, options.adapter, options) : full(model, options);
  const { resident, paged } = optimizerState(device, parameters, options);
  device.as("optimizer", () => device.alloc(resident));
  const { supervised } = blankBatch(shapeOf(config, options));
  const kept = runStep(device, { parameters, losses, supervised }, options);
  const peak = device.peak();
  const weights = options.weightsBudget === undefined ? 0 : quantized;
  const [components, largest] = [peak.at, peak.largest].map((bytes) => underBudget(bytes, quantized, options)) as [
    ComponentBytes,
    ComponentBytes,
  ];
  const trainedParameters = parameters.reduce((n, p) => n + p.shape.reduce((a, b) => a * b, 1), 0);
  const deviceBytes = sumOf(components);
  return {
    components,
    largest,
    deviceBytes,
    pagedBytes: paged + weights,
    runtimeBytes: runtimeBytes(config),
    totalBytes: deviceBytes + paged + weights + runtimeBytes(config),
    keptBytes: kept,
    trainedParameters,
  };
}

/** Codes and scales of the weights that are in 4 bits. */
const quantizedBytes = (model: LanguageModel): number =>
  [...model.linears().values()].reduce((n, linear) => n + (linear instanceof QuantizedLinear ? linear.weight.byteLength : 0), 0);

/** Quantized weights are there all the time, or as many of them as their budget allows; others always are. */
function underBudget(
  bytes: ComponentBytes,
  quantized: number,
  { weightsBudget = Number.POSITIVE_INFINITY }: ForecastOptions,
): ComponentBytes {
  const share = quantized > weightsBudget ? weightsBudget / quantized : 1;
  const codes = Math.min(bytes.weights, quantized - bytes.scales);
  return { ...bytes, weights: bytes.weights - codes + Math.floor(codes * share), scales: Math.floor(bytes.scales * share) };
}

const shapeOf = ({ kind }: ModelConfig, { batch, length, supervised, source = length }: ForecastOptions): BatchShape => ({
  batch,
  length,
  supervised,
  ...(kind === "t5" ? { source } : {}),
});

interface Trained {
  readonly parameters: readonly Tensor[];
  readonly losses: () => Tensor;
}

function adapted(device: CountingDevice, model: LanguageModel, settings: LoraSettings, options: ForecastOptions): Trained {
  const parameters = skeletonAdapter(model, settings, (component, make) => device.as(component, make));
  const batch = blankBatch(shapeOf(model.config, options));
  const dropoutKey = settings.dropout > 0 ? fold(key(0), 0) : null;
  return { parameters, losses: () => tokenLosses(model, batch, { dropoutKey, recompute: perLayer(model, options) }) };
}

function full(model: LanguageModel, options: ForecastOptions): Trained {
  const tuning = new FullFineTuning(model);
  const batch = blankBatch(shapeOf(model.config, options));
  const pass: ForwardPass = { dropoutKey: null, recompute: perLayer(model, options) };
  return { parameters: tuning.parameters, losses: () => tuning.losses(batch, pass) };
}

const perLayer = ({ config }: LanguageModel, { recompute }: ForecastOptions): Recomputation[] =>
  Array.from({ length: config.layers }, (_, i) => recompute[i] ?? recompute.at(-1) ?? "nothing");

function optimizerState(backend: Backend, parameters: readonly Tensor[], options: ForecastOptions): { resident: number; paged: number } {
  const budgetBytes = options.pagerBudget ?? Number.POSITIVE_INFINITY;
  const named = new Map(parameters.map((p, i) => [String(i), p]));
  const { stateBytes } = new PagedAdamW(named, new Pager(backend, { budgetBytes }), { ...ADAMW_DEFAULTS, bits: options.optimizerBits });
  const resident = Math.min(stateBytes, budgetBytes);
  return { resident, paged: stateBytes - resident };
}

/** What train() does in a step up to the update, which is in place. Of several micro-batches the last is run, with the gradients of those before it held. */
function runStep(
  device: CountingDevice,
  { parameters, losses, supervised }: Trained & { readonly supervised: number },
  { accumulate: times }: ForecastOptions,
): number {
  let kept = 0;
  const before = times > 1 ? device.as("gradients", () => parameters.map((p) => empty(device, p.shape, p.dtype))) : null;
  const part = microBatch(parameters, supervised, losses, () => {
    kept = device.labelRest("activations");
  });
  device.label(
    part.grads.flatMap((g) => g.views()),
    "gradients",
  );
  if (before) for (const t of part.grads) t.dispose();
  for (const g of before ?? part.grads) if (g.dtype === "f32") scope(device, () => sum(square(g)));
  return kept;
}
