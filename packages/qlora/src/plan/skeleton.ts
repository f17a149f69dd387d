// A model without numbers: the tensors that loading one makes, of the right shapes and types, on any device. The plan runs it on one that only counts.
import { type Backend, cast, type DType, empty, parameter, type QFormat, quantize, scope, type Tensor } from "@qlora-js/core";
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
import { DenseLinear } from "../nn/dense-linear.ts";
import { DoraLinear } from "../nn/dora-linear.ts";
import type { Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { LoraLinear } from "../nn/lora-linear.ts";
import { QuantizedLinear } from "../nn/quantized-linear.ts";
import type { Component } from "./component.ts";

/** What weights of a file may be stored in. */
export type WeightDType = Extract<DType, "f32" | "bf16" | "f16">;

export interface SkeletonOptions {
  /** What the file's weights are in. */
  readonly dtype: WeightDType;
  /** What linear weights are stored in; null keeps the file's. */
  readonly format: QFormat | null;
  /** Runs `make`, whose buffers count as this component. */
  readonly as: <T>(component: Component, make: () => T) => T;
  /** Says that tensors already made count as this one. */
  readonly label: (tensors: readonly Tensor[], component: Component) => void;
}

/** The model as loadModel makes it: weights are quantized a tensor at a time, embeddings and head keep the file's type, norms and biases are f32. */
export function skeletonModel(backend: Backend, config: ModelConfig, options: SkeletonOptions): LanguageModel {
  const parts = modelParts(config).map((part) => [part.name, skeletonPart(backend, part, options)] as const);
  return buildModel(backend, config, new Map(parts));
}

function skeletonPart(backend: Backend, part: ModelPart, options: SkeletonOptions): Tensor | LinearSlot {
  const { dtype, as } = options;
  if (part.kind === "linear") return new LinearSlot(part.name, skeletonLinear(backend, part, options));
  if (part.kind === "small") return as("norms", () => empty(backend, part.shape));
  return as("embeddings", () => empty(backend, [part.rows, part.columns], dtype));
}

function skeletonLinear(
  backend: Backend,
  { outFeatures, inFeatures, bias, keep }: LinearModule,
  { dtype, format, as, label }: SkeletonOptions,
): Linear {
  const shape = [outFeatures, inFeatures];
  const offset = bias ? as("norms", () => empty(backend, [outFeatures])) : null;
  if (!format || keep)
    return new DenseLinear(
      as("weights", () => empty(backend, shape, keep ? "f32" : dtype)),
      offset,
    );
  const weight = scope(backend, () => quantize(cast(empty(backend, shape, dtype), "f32"), format));
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
