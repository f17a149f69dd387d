// Which linear layers a 4-bit checkpoint leaves in its 16 bits, by its config alone: `llm_int8_skip_modules`. Where the files are there, they say so themselves.
// Source: transformers 5.23, quantizers_utils.py, should_convert_module.
import { PatternMatcher } from "../formats/module-pattern.ts";
import { quoted } from "../formats/quoted.ts";
import type { ModelConfig } from "./model-config.ts";
import { modelParts } from "./model-parts.ts";

/**
 * The names of the model's linear layers that `patterns` skip: a pattern means the names that it is the end of, and those that it matches, as a regular
 * expression, up to the end or a dot.
 * @throws FormatError if a pattern is none
 */
export function skippedModules(file: string, config: ModelConfig, patterns: readonly string[]): Set<string> {
  const matcher = new PatternMatcher(`${file}, ${quoted("llm_int8_skip_modules")}`);
  const skips = (name: string): boolean =>
    patterns.some((pattern) => name.endsWith(pattern) || matcher.fullMatch(`(?:${pattern})(?:\\..*)?`, name));
  return new Set(modelParts(config).flatMap(({ kind, name }) => (kind === "linear" && skips(name) ? [name] : [])));
}
