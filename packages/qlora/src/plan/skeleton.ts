// A model without numbers: the tensors that loading one makes, of the right shapes and types, on any device. The plan runs it on one that only counts.
import { type Backend, cast, type DType, empty, parameter, type QFormat, quantize, scope, type Tensor } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { decoderParts, type LinearModule, type ModelPart } from "../config/decoder-parts.ts";
import { UsageError } from "../error.ts";
import { loraTargets } from "../formats/lora-targets.ts";
import type { LoraSettings } from "../formats/peft-config.ts";
import { quoted } from "../formats/quoted.ts";
import { buildDecoder } from "../models/build-decoder.ts";
import type { Decoder } from "../models/decoder.ts";
import { DenseLinear } from "../nn/dense-linear.ts";
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
export function skeletonModel(backend: Backend, config: DecoderConfig, options: SkeletonOptions): Decoder {
  const parts = decoderParts(config).map((part) => [part.name, skeletonPart(backend, part, options)] as const);
  return buildDecoder(backend, config, new Map(parts));
}

function skeletonPart(backend: Backend, part: ModelPart, options: SkeletonOptions): Tensor | LinearSlot {
  const { dtype, as } = options;
  if (part.kind === "linear") return new LinearSlot(part.name, skeletonLinear(backend, part, options));
  if (part.kind === "vector") return as("norms", () => empty(backend, [part.size]));
  return as("embeddings", () => empty(backend, [part.rows, part.columns], dtype));
}

function skeletonLinear(
  backend: Backend,
  { outFeatures, inFeatures, bias }: LinearModule,
  { dtype, format, as, label }: SkeletonOptions,
): Linear {
  const shape = [outFeatures, inFeatures];
  const offset = bias ? as("norms", () => empty(backend, [outFeatures])) : null;
  if (!format)
    return new DenseLinear(
      as("weights", () => empty(backend, shape, dtype)),
      offset,
    );
  const weight = scope(backend, () => quantize(cast(empty(backend, shape, dtype), "f32"), format));
  const [codes, ...scales] = weight.tensors() as [Tensor, ...Tensor[]];
  label([codes], "weights");
  label(scales, "scales");
  return new QuantizedLinear(weight, offset);
}

/** Wraps the layers that the settings mean, as LoraAdapter.create does. Returns A and B of each, in the order they are trained in. */
export function skeletonAdapter(model: Decoder, settings: LoraSettings, as: SkeletonOptions["as"]): Tensor[] {
  const linears = model.linears();
  const targets = loraTargets(settings, [...linears.keys()], "adapter");
  if (targets.length === 0) throw new UsageError("--targets", `${quoted(settings.targetModules)} names no linear layer of the model.`);
  return targets.flatMap(({ module, rank, scale }, site) => {
    const base = linears.get(module)!;
    const make = (shape: readonly number[]): Tensor =>
      as("adapter", () => scope(model.backend, () => parameter(empty(model.backend, shape))));
    const [a, b] = [make([rank, base.inFeatures]), make([base.outFeatures, rank])];
    model.replaceLinear(module, new LoraLinear(base, a, b, { scale, dropout: settings.dropout, site }));
    return [a, b];
  });
}
