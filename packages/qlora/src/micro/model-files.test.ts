import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { key } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../text/chat-template.ts";
import { Tokenizer } from "../text/tokenizer.ts";
import { demoData } from "./demo-data.ts";
import { draws } from "./draw.ts";
import { END_OF_TEXT, microGrammar, microText } from "./grammar.ts";
import { microModelUrl } from "./location.ts";
import { MICRO_CONFIG, microModelFiles } from "./model-files.ts";

const read = (name: string) => readFileSync(new URL(name, microModelUrl()), "utf8");
const parsed = {
  tokenizer: JSON.parse(read("tokenizer.json")),
  config: JSON.parse(read("tokenizer_config.json")),
  specialTokensMap: JSON.parse(read("special_tokens_map.json")),
  generationConfig: JSON.parse(read("generation_config.json")),
  modelConfig: JSON.parse(read("config.json")),
};
const tokenizer = Tokenizer.from(parsed);
const template = ChatTemplate.from(parsed, tokenizer.special)!;
const corpus = (seed: number, count: number) => {
  const [draw, grammar] = [draws(key(seed)), microGrammar()];
  return Array.from({ length: count }, () => grammar(draw));
};

describe("the micro model's files", () => {
  it("are what the grammar and the trainer make today", () => {
    for (const [name, text] of Object.entries(microModelFiles())) expect(read(name) === text, name).toBe(true);
  }, 60_000);

  it("stay under 3 MB with the weights", () => {
    const bytes = (folder: URL): number =>
      readdirSync(folder, { withFileTypes: true }).reduce(
        (sum, entry) => sum + statSync(fileURLToPath(new URL(entry.name, folder))).size,
        0,
      );
    expect(bytes(microModelUrl())).toBeLessThan(2.9e6);
  });
});

describe("the micro tokenizer", () => {
  it("gives back every text of the grammar", () => {
    for (const document of corpus(21, 600)) {
      const text = microText(document);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it("gives back any text, since every byte has a token", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("stays within the model's vocabulary and positions for every document and every demo row", () => {
    const { train, valid, prompts } = demoData();
    const rows = [
      ...train,
      ...valid,
      ...prompts.map((content) => ({ messages: [{ role: "user" as const, content }] })),
      ...corpus(22, 600),
    ];
    for (const row of rows) {
      const ids = tokenizer.encode(microText(row));
      expect(ids.length).toBeLessThanOrEqual(MICRO_CONFIG.max_position_embeddings);
      expect(Math.max(...ids)).toBeLessThan(MICRO_CONFIG.vocab_size);
    }
    expect(tokenizer.vocabularySize).toBe(MICRO_CONFIG.vocab_size);
  });

  it("gives the ids that the Python library tokenizers 0.23 gives", () => {
    const known: Readonly<Record<string, readonly number[]>> = {
      "<|im_start|>user\nWhat colour is the sky?<|im_end|>\n": [1, 274, 13, 303, 576, 275, 277, 268, 110, 124, 66, 2, 13],
      "Arr, the sky be blue, matey!": [68, 960, 47, 277, 268, 110, 124, 382, 776, 949, 47, 289, 408, 124, 36],
      "naïve 漢字 😀 ٣ 12  3\t\r\n": [
        528, 198, 178, 332, 35, 233, 191, 165, 232, 176, 154, 35, 243, 162, 155, 131, 35, 220, 166, 35, 52, 53, 35, 35, 54, 12, 16, 13,
      ],
    };
    for (const [text, ids] of Object.entries(known)) expect(tokenizer.encode(text), text).toEqual(ids);
  });

  it("has one token for a frequent word and one for each mark", () => {
    expect(tokenizer.encode("<|im_start|>user<|im_end|><|endoftext|>").length).toBe(4);
    expect(tokenizer.encode(" capital").length).toBe(1);
  });

  it("stops at the end of a turn and at the end of a text", () => {
    expect([...tokenizer.stopIds].sort()).toEqual([0, 2]);
  });
});

describe("the chat template", () => {
  it("renders a chat exactly as the grammar writes it", () => {
    for (const document of corpus(23, 200)) {
      if ("messages" in document)
        expect(template.render(document.messages.map((message) => ({ ...message }))) + END_OF_TEXT).toBe(microText(document));
    }
  });

  it("opens the assistant's turn when asked to", () => {
    expect(template.render([{ role: "user", content: "Hello!" }], { addGenerationPrompt: true })).toBe(
      "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n",
    );
  });
});
