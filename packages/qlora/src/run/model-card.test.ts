import { expect, test } from "vitest";
import { loraSettings } from "../formats/peft-config.ts";
import { type CardFacts, modelCard } from "./model-card.ts";

const settings = loraSettings({ rank: 8, alpha: 16, targetModules: "all-linear" });
const facts: CardFacts = {
  settings,
  baseModel: "org/base-1",
  data: "data/pirates",
  rows: 120,
  format: "NF4 + double quantization",
  parameters: 4096,
  options: [["lr", 2e-4]],
  step: 40,
  trainLoss: 1.25,
  validLoss: 1.5,
  version: "0.1.0",
};
const front = (card: string): string[] => card.split("---\n")[1]!.trimEnd().split("\n");

test("the front matter says library, base and tags, as PEFT writes them", () => {
  expect(front(modelCard(facts))).toEqual([
    "base_model: org/base-1",
    "library_name: peft",
    "pipeline_tag: text-generation",
    "tags:",
    '- "base_model:adapter:org/base-1"',
    "- lora",
    "- qlora-js",
    "- transformers",
  ]);
});

test("the facts of the training are in it", () => {
  const card = modelCard(facts);
  expect(card).toContain("# LoRA of base-1\n");
  for (const line of [
    "| Steps done | 40 |",
    "| Loss of the last step | 1.2500 |",
    "| Perplexity on held-out rows | 4.482 |",
    "| lr | `0.0002` |",
  ])
    expect(card).toContain(line);
  expect(modelCard({ ...facts, validLoss: undefined })).not.toContain("held-out");
});

test("names of any kind stay within their places", () => {
  const nasty = 'a: "b" | `c`\n---\n# d';
  const card = modelCard({ ...facts, baseModel: nasty, data: nasty, options: [["o|p", "`"]] });
  expect(front(card)[0]).toBe(`base_model: ${JSON.stringify(nasty)}`);
  expect(card.split("\n").filter((line) => line === "---")).toHaveLength(2);
  expect(card.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
});

test("a way to begin that others must know of is explained", () => {
  expect(modelCard({ ...facts, settings: { ...settings, init: "pissa" } })).toContain("plain LoRA over the untouched base");
  expect(modelCard({ ...facts, settings: { ...settings, init: "loftq" } })).toContain("not on its 16-bit weights");
  expect(modelCard({ ...facts, settings: { ...settings, useDora: true, modulesToSave: ["lm_head"] } })).toContain(
    "trained whole: lm\\_head",
  );
});
