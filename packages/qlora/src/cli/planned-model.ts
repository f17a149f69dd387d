// MODEL of `qlora plan`: a folder, a GGUF file, a config.json alone, or a shape that is shipped. No weights are read; of their files, if they are there, the headers.
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ModelConfig } from "../config/model-config.ts";
import { readModelConfig } from "../config/model-config.ts";
import { renamedTensors } from "../config/model-tensors.ts";
import { SHAPES, shapeNamed } from "../config/shapes.ts";
import { UsageError } from "../error.ts";
import { openModelFiles } from "../formats/model-files.ts";
import { openFolder } from "../formats/node-folder.ts";
import { coreDType } from "../formats/safetensors-dtype.ts";
import { parseHubName } from "../hub/hub-name.ts";
import { didYouMean } from "../nearest-name.ts";
import type { WeightDType } from "../plan/skeleton.ts";
import { readManifest } from "../run/manifest.ts";
import { isRunFolder } from "../run/run-folder.ts";
import { type HubAccess, localModel } from "./from-hub.ts";
import { type ModelFolder, openModelFolder } from "./open-model.ts";

export interface PlannedModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** What its weights are in. */
  readonly dtype: WeightDType;
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
    return { name: given, config, dtype: weightDType(config.dtype), folder: undefined };
  }
  const named = (await isRunFolder(given)) ? (await readManifest(given)).model.path : given;
  const path = parseHubName(named) ? (await localModel(named, hub, "text")).path : named;
  const isFile = await kindOf(path);
  if (!isFile || /\.gguf$/i.test(path)) {
    const folder = await openModelFolder(path);
    return { name: given, config: folder.config, dtype: (await storedDType(folder)) ?? weightDType(folder.config.dtype), folder };
  }
  const config = await readModelConfig(await openFolder(dirname(given)), basename(given));
  const folder: ModelFolder = {
    folder: { name: given, files: [], open: () => Promise.reject(new UsageError(given, "is a config alone.")) },
    config,
    tokenizer: undefined,
    template: undefined,
    stopIds: config.eosTokenIds,
  };
  return { name: given, config, dtype: weightDType(config.dtype), folder };
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

/** What the embeddings of a folder's files are in; undefined where there are no files. */
async function storedDType({ folder, config }: ModelFolder): Promise<WeightDType | undefined> {
  if (!folder.files.some((file) => /\.(safetensors|gguf)$/.test(file))) return undefined;
  const files = await openModelFiles(folder);
  try {
    const stored = renamedTensors(config, files.tensors).get(`${config.names.embedding}.weight`);
    const dtype = stored && coreDType(stored.dtype);
    return dtype === "f32" || dtype === "f16" || dtype === "bf16" ? dtype : undefined;
  } finally {
    await files.close();
  }
}
