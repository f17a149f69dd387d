import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { readRows } from "../../data/rows.ts";
import { tokenizeRows } from "../../data/tokenize.ts";
import { microModelUrl } from "../../micro/location.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { type SamplePrompt, samplePrompts } from "./sample-prompts.ts";

let folder: ModelFolder;
beforeAll(async () => {
  folder = await openModelFolder(fileURLToPath(microModelUrl()));
});

async function promptsOf(rows: readonly object[]): Promise<SamplePrompt[]> {
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  const placed = [];
  for await (const row of readRows(lines, "rows.jsonl")) placed.push(row);
  const { tokenizer, template } = folder;
  const { examples } = tokenizeRows(placed, { tokenizer, template, vocabularySize: folder.config.vocabSize });
  return samplePrompts({ paths: ["rows.jsonl"], sha256: "", kind: placed[0]!.row.kind, rows: placed }, examples, tokenizer!);
}

describe("the prompts that are answered at evaluations", () => {
  it("are the questions of the first three rows", async () => {
    const prompts = await promptsOf([1, 2, 3, 4].map((n) => ({ prompt: `What is ${n}?`, completion: "A number." })));
    expect(prompts.map(({ prompt }) => prompt)).toEqual(["What is 1?", "What is 2?", "What is 3?"]);
  });

  it("are each another one: rows that begin alike are asked once", async () => {
    const texts = ["A cat sat on a mat by the door. One.", "A cat sat on a mat by the door. Two.", "A dog ran to the old house. Three."];
    const prompts = await promptsOf(texts.map((text) => ({ text })));
    expect(prompts).toHaveLength(2);
    expect(texts[0]).toContain(prompts[0]!.prompt);
    expect(texts[2]).toContain(prompts[1]!.prompt);
  });

  it("show special tokens where there is nothing else to show", async () => {
    const bos = folder.tokenizer!.special.bos!;
    const [only] = await promptsOf([{ input_ids: [bos.id, 40, 41], labels: [-100, 40, 41] }]);
    expect(only).toEqual({ ids: [bos.id], prompt: bos.text });
  });
});
