import { FormatError } from "@qlora-js/core";
import { expect, it } from "vitest";
import { MICRO_CONFIG } from "../micro/model-files.ts";
import { parseModelConfig } from "./parse-model-config.ts";
import { skippedModules } from "./skipped-modules.ts";

const config = parseModelConfig(MICRO_CONFIG);
const skipped = (...patterns: string[]): string[] => [...skippedModules("config.json", config, patterns)];
const all = skipped("");

// what should_convert_module of transformers 5.23 says
it.each([
  [["lm_head"], (_: string) => false],
  [["model.layers.1"], (name: string) => name.startsWith("model.layers.1.")],
  [["q_proj", "mlp.down_proj"], (name: string) => /(q_proj|mlp\.down_proj)$/.test(name)],
  [["model.layers.*.mlp"], (name: string) => name.includes(".mlp.")],
  [["model.layers.0.mlp.gate"], (_: string) => false],
])("%j skips the layers that transformers skips", (patterns, skips) => {
  expect(all.length).toBeGreaterThan(10);
  expect(skipped(...patterns)).toEqual(all.filter(skips));
});

it("refuses a pattern that takes for ever", () => {
  expect(() => skipped("(?:(?:[a-z.]*)*)*!")).toThrow(FormatError);
});
