// A model folder in memory with random weights, for tests that run the real engine.
import { key, normal, numberToBf16, numberToF16 } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import { modelTensors } from "../config/model-tensors.ts";
import { memoryFolder } from "../formats/folder.ts";
import { type ModelFiles, openModelFiles } from "../formats/model-files.ts";
import { encodeSafetensors } from "../formats/safetensors-layout.ts";
import type { WeightDType } from "../models/weight-form.ts";

const STORED = { f32: "F32", bf16: "BF16", f16: "F16" } as const;

export async function randomModel(config: ModelConfig, dtype: WeightDType): Promise<ModelFiles> {
  const tensors = modelTensors(config).map(({ name, shape, kind }, i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = kind === "norm" ? new Float32Array(count).fill(1) : normal(key(i), count, 0.05);
    const data = dtype === "f32" ? values : Uint16Array.from(values, dtype === "bf16" ? numberToBf16 : numberToF16);
    return { name, shape, dtype: STORED[dtype], data: new Uint8Array(data.buffer) };
  });
  return openModelFiles(memoryFolder(new Map([["model.safetensors", await encodeSafetensors(tensors)]])));
}
