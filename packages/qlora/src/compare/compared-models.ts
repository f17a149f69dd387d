// A model once more in another format: its linear weights quantized on the device, everything else shared with the original.
import { cast, dequantize, div, type QFormat, type QTensor, quantize, scope, sqrt, square, sub, sum, type Tensor } from "@qlora-js/core";
import { linearModules } from "../config/model-parts.ts";
import { buildModel } from "../models/build-model.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { DenseLinear } from "../nn/dense-linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { QuantizedLinear } from "../nn/quantized-linear.ts";

export interface LayerError {
  readonly name: string;
  /** ‖Q(W) − W‖ / ‖W‖ */
  readonly relativeError: number;
}

export interface ComparedModel {
  readonly name: string;
  readonly format: QFormat;
  readonly model: LanguageModel;
  readonly bitsPerParameter: number;
  readonly layers: readonly LayerError[];
  /** Frees the quantized weights; the original keeps its own. */
  dispose(): void;
}

/** @param original loaded with no format, without adapters */
export async function quantizedCopy(original: LanguageModel, name: string, format: QFormat): Promise<ComparedModel> {
  const { backend, config } = original;
  const parts = new Map(original.parts);
  const weights: QTensor[] = [];
  const layers: LayerError[] = [];
  let [bits, parameters] = [0, 0];
  for (const { name, keep } of linearModules(config)) {
    const { linear } = original.parts.get(name) as LinearSlot;
    if (keep || !(linear instanceof DenseLinear)) continue;
    const { weight, error } = scope(backend, () => {
      const wide = cast(linear.weight, "f32");
      const weight = quantize(wide, format);
      return { weight, error: relativeError(wide, weight) };
    });
    weights.push(weight);
    layers.push({ name, relativeError: await error.item() });
    error.dispose();
    bits += 8 * weight.byteLength;
    parameters += linear.outFeatures * linear.inFeatures;
    parts.set(name, new LinearSlot(name, new QuantizedLinear(weight, linear.bias)));
  }
  const dispose = (): void => {
    for (const weight of weights) weight.dispose();
  };
  return { name, format, model: buildModel(backend, config, parts), bitsPerParameter: bits / parameters, layers, dispose };
}

function relativeError(weight: Tensor, quantized: QTensor): Tensor {
  const norm = (x: Tensor): Tensor => sqrt(sum(square(x)));
  return div(norm(sub(dequantize(quantized), weight)), norm(weight));
}
