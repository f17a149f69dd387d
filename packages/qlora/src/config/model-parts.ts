import { decoderParts } from "./decoder-parts.ts";
import type { ModelConfig } from "./model-config.ts";
import type { LinearModule, ModelPart } from "./model-part.ts";
import { t5Parts } from "./t5-parts.ts";

/** Everything a model consists of, by its config alone; a tied head is not among it. */
export const modelParts = (config: ModelConfig): ModelPart[] => (config.kind === "t5" ? t5Parts(config) : decoderParts(config));

/** The linear modules of every layer, in the order they compute; the output head is not among them. */
export const linearModules = (config: ModelConfig): LinearModule[] =>
  modelParts(config).filter((part): part is LinearModule => part.kind === "linear");
