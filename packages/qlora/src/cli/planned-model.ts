// MODEL of `qlora plan`: a folder, a GGUF file, a config.json alone, or a shape that is shipped. No weights are read; of their files, if they are there, the headers.
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { namedFormat } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import { readModelConfig } from "../config/model-config.ts";
import { modelParts } from "../config/model-parts.ts";
import { renamedTensors } from "../config/model-tensors.ts";
import { SHAPES, shapeNamed } from "../config/shapes.ts";
import { skippedModules } from "../config/skipped-modules.ts";
import { UsageError } from "../error.ts";
import { openModelFiles } from "../formats/model-files.ts";
import { openFolder } from "../formats/node-folder.ts";
import { parseHubName } from "../hub/hub-name.ts";
import { embeddingDType, type StoredWeights, storedWeights, type WeightDType } from "../models/weight-form.ts";
import { didYouMean } from "../nearest-name.ts";
import { readManifest } from "../run/manifest.ts";
import { isRunFolder } from "../run/run-folder.ts";
import { type HubAccess, localModel } from "./from-hub.ts";
import { type ModelFolder, openModelFolder } from "./open-model.ts";

export interface PlannedModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** What its weights are in. */
  readonly dtype: WeightDType;
  /** What its files have of each weight; empty for a shape. */
  readonly stored: StoredWeights;
  /** Undefined for a shape. */
  readonly folder: ModelFolder | undefined;
}

/**
 * Finds out what there is to plan for.
 * @throws UsageError if it is none of the three, FormatError if a file is not what it should be
 */
export async function plannedModel(given: string, hub: HubAccess): Promise<PlannedModel> {
  if (Object.hasOwn(SHAPES, given)) {
    const config = shapeNamed(given);
    return { name: given, config, dtype: weightDType(config.dtype), stored: new Map(), folder: undefined };
  }
  const named = (await isRunFolder(given)) ? (await readManifest(given)).model.path : given;
  const path = parseHubName(named) ? (await localModel(named, hub, "text")).path : named;
  const isFile = await kindOf(path);
  if (!isFile || /\.gguf$/i.test(path)) {
    const folder = await openModelFolder(path);
    const { config } = folder;
    const stored = await weightsOf(folder);
    return { name: given, config, dtype: embeddingDType(config, stored) ?? weightDType(config.dtype), stored, folder };
  }
  const config = await readModelConfig(await openFolder(dirname(given)), basename(given));
  const folder: ModelFolder = {
    folder: { name: given, files: [], open: () => Promise.reject(new UsageError(given, "is a config alone.")) },
    config,
    tokenizer: undefined,
    template: undefined,
    stopIds: config.eosTokenIds,
  };
  const dtype = weightDType(config.dtype);
  return { name: given, config, dtype, stored: byConfig(given, config, dtype), folder };
}

/** What a config says of the files that are not here. */
function byConfig(file: string, config: ModelConfig, dtype: WeightDType): StoredWeights {
  const { quantization } = config;
  if (!quantization) return new Map();
  const packed = namedFormat(quantization.format, { doubleQuant: quantization.doubleQuant });
  const skipped = skippedModules(file, config, quantization.skipped ?? []);
  const linears = modelParts(config).filter(({ kind, name }) => kind === "linear" && !skipped.has(name));
  return new Map(linears.map(({ name }) => [`${name}.weight`, { dtype, packed }]));
}

/** Whether a path is a file; false for a folder. */
async function kindOf(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    const names = Object.keys(SHAPES);
    const what = `is no folder, no config.json, no org/name on a hub and no shape that is known (${names.join(", ")}).${didYouMean(path, names)}`;
    throw new UsageError(path, what, { names });
  }
}

const weightDType = (dtype: ModelConfig["dtype"]): WeightDType => (dtype === "f32" || dtype === "f16" ? dtype : "bf16");

/** What a folder's files have; nothing where there are no files. */
async function weightsOf({ folder, config }: ModelFolder): Promise<StoredWeights> {
  if (!folder.files.some((file) => /\.(safetensors|gguf)$/.test(file))) return byConfig(folder.name, config, weightDType(config.dtype));
  const files = await openModelFiles(folder);
  try {
    return storedWeights(renamedTensors(config, files.tensors));
  } finally {
    await files.close();
  }
}
