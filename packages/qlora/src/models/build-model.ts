import type { Backend } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import { buildDecoder } from "./build-decoder.ts";
import { buildT5 } from "./build-t5.ts";
import type { LanguageModel, Parts } from "./language-model.ts";

/** Puts a model together from the parts that modelParts() lists. @throws RangeError if a part is not there */
export const buildModel = (backend: Backend, config: ModelConfig, parts: Parts): LanguageModel =>
  config.kind === "t5" ? buildT5(backend, config, parts) : buildDecoder(backend, config, parts);
