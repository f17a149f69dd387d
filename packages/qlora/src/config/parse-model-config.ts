import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { FAMILIES } from "../families/families.ts";
import type { Family } from "../families/family.ts";
import { quoted } from "../formats/quoted.ts";
import { CONFIG_FILE, configOfFamily, type ParseOptions } from "./config-of-family.ts";
import type { ModelConfig } from "./model-config.ts";

/**
 * A model's config from parsed JSON, of whatever family it is.
 * @throws UsageError if the model is of a kind not supported
 * @throws FormatError if a value is missing or cannot be
 */
export const parseModelConfig = (json: unknown, options: ParseOptions = {}): ModelConfig =>
  configOfFamily(familyOf(options.file ?? CONFIG_FILE, json), json, options);

function familyOf(file: string, json: unknown): Family {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const family = FAMILIES.find(({ modelTypes }) => modelTypes.some((one) => one === type));
  if (family) return family;
  const supported = `Supported: ${FAMILIES.map(({ modelTypes, known }) => `${modelTypes.join(", ")} (${known})`).join(", ")}`;
  if (type === undefined) throw new FormatError(file, `"model_type" is missing. ${supported}.`);
  throw new UsageError(file, `model_type ${quoted(type)} is not supported. ${supported}.`, { key: "model_type", value: type });
}
