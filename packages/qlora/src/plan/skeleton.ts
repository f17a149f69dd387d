// A model without numbers: the tensors that loading one makes, of the right shapes and types, on any device. The plan runs it on one that only counts.
import { type Backend, cast, empty, parameter, type QFormat, quantize, scope, type Tensor } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { LinearModule, ModelPart } from "../config/model-part.ts";
import { modelParts } from "../config/model-parts.ts";
import { wholeTensors } from "../config/savable-tensors.ts";
import { UsageError } from "../error.ts";
import { loraTargets } from "../formats/lora-targets.ts";
import type { LoraSettings } from "../formats/peft-config.ts";
import { quoted } from "../formats/quoted.ts";
import { buildModel } from "../models/build-model.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { type StoredWeights, type WeightDType, type WeightForm, weightForms } from "../models/weight-form.ts";
import { DenseLinear } from "../nn/dense-linear.ts";
import { DoraLinear } from "../nn/dora-linear.ts";
import type { Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { LoraLinear } from "../nn/lora-linear.ts";
import { QuantizedLinear } from "../nn/quantized-linear.ts";
import type { Component } from "./component.ts";

export interface SkeletonOptions {
  /** What the file's weights are in; `stored` goes before it. */
  readonly dtype: WeightDType;
  /** What the file has of each weight. */
  readonly stored: StoredWeights;
  /** What linear weights are stored in; null keeps the file's. */
  readonly format: QFormat | null;
  /** Runs `make`, whose buffers count as this component. */
  readonly as: <T>(component: Component, make: () => T) => T;
  /** Says that tensors already made count as this one. */
  readonly label: (tensors: readonly Tensor[], component: Component) => void;
}

/** The model as loadModel makes it: weights are quantized a tensor at a time, embeddings and head keep the file's type, norms and biases are f32. */
export function skeletonModel(backend: Backend, config: ModelConfig, options: SkeletonOptions): LanguageModel {
  const formOf = weightForms(options.stored, options.format, options.dtype);
  const parts = modelParts(config).map((part) => [part.name, skeletonPart(backend, part, formOf, options)] as const);
  return buildModel(backend, config, new Map(parts));
}

type FormOf = ReturnType<typeof weightForms>;

function skeletonPart(backend: Backend, part: ModelPart, formOf: FormOf, options: SkeletonOptions): Tensor | LinearSlot {
  const { as } = options;
  const dtype = options.stored.get(part.name)?.dtype ?? options.dtype;
  if (part.kind === "linear") return new LinearSlot(part.name, skeletonLinear(backend, part, formOf(part), options));
  if (part.kind === "small") return as("norms", () => empty(backend, part.shape));
  return as("embeddings", () => empty(backend, [part.rows, part.columns], dtype));
}

function skeletonLinear(
  backend: Backend,
  { name, outFeatures, inFeatures, bias }: LinearModule,
  form: WeightForm,
  { dtype, stored, as, label }: SkeletonOptions,
): Linear {
  const shape = [outFeatures, inFeatures];
  const offset = bias ? as("norms", () => empty(backend, [outFeatures])) : null;
  if (form.kind === "dense")
    return new DenseLinear(
      as("weights", () => empty(backend, shape, form.dtype)),
      offset,
    );
  const given = stored.get(`${name}.weight`)?.dtype ?? dtype;
  const weight = scope(backend, () => quantize(cast(empty(backend, shape, given), "f32"), form.format));
  const [codes, ...scales] = weight.tensors() as [Tensor, ...Tensor[]];
  label([codes], "weights");
  label(scales, "scales");
  return new QuantizedLinear(weight, offset);
}

/** Wraps the layers that the settings mean, as LoraAdapter.create does. Returns what is trained, in its order. */
export function skeletonAdapter(model: LanguageModel, settings: LoraSettings, as: SkeletonOptions["as"]): Tensor[] {
  const linears = model.linears();
  const targets = loraTargets(settings, [...linears.keys()], "adapter");
  if (targets.length === 0) throw new UsageError("--targets", `${quoted(settings.targetModules)} names no linear layer of the model.`);
  const matrices = targets.flatMap(({ module, rank, scale }, site) => {
    const base = linears.get(module)!;
    const make = (shape: readonly number[]): Tensor =>
      as("adapter", () => scope(model.backend, () => parameter(empty(model.backend, shape))));
    const [a, b] = [make([rank, base.inFeatures]), make([base.outFeatures, rank])];
    const options = { scale, dropout: settings.dropout, site };
    const layer = settings.useDora ? as("adapter", () => new DoraLinear(base, a, b, null, options)) : new LoraLinear(base, a, b, options);
    model.replaceLinear(module, layer);
    return layer.trained();
  });
  const whole = wholeTensors(settings, model.config, new Set(targets.map(({ module }) => module)), "--modules-to-save");
  return [...matrices, ...whole.map(({ name, shape }) => wholeParameter(model, name, shape, as))];
}

function wholeParameter(model: LanguageModel, name: string, shape: readonly number[], as: SkeletonOptions["as"]): Tensor {
  const trained = as("adapter", () => scope(model.backend, () => parameter(empty(model.backend, shape))));
  model.slots.get(name)!.put(trained);
  return trained;
}
