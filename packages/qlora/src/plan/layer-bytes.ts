import type { ModelConfig } from "../config/model-config.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { type ForecastOptions, forecast } from "./forecast.ts";

/** Bytes that one layer keeps from the forward pass for the backward pass, by what of it is recomputed. */
export function layerBytes(config: ModelConfig, options: Omit<ForecastOptions, "recompute">): Readonly<Record<Recomputation, number>> {
  const kept = (recompute: Recomputation, layers: number): number =>
    forecast(withLayers(config, layers), { ...options, recompute: [recompute] }).keptBytes;
  const ofOne = (recompute: Recomputation): number => kept(recompute, 2) - kept(recompute, 1);
  return { nothing: ofOne("nothing"), cheap: ofOne("cheap"), all: ofOne("all") };
}

/** The model with so many layers; of an encoder and a decoder, it is the decoder's. */
const withLayers = (config: ModelConfig, layers: number): ModelConfig =>
  config.kind === "t5" ? { ...config, decoderLayers: layers, layers: config.encoderLayers + layers } : { ...config, layers };
