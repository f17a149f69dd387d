// Tokenizer, chat template, masks and batches of SmolLM2 against what transformers made of the same texts (golden.json; make_smollm2.py says how).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assistantSpans,
  ChatTemplate,
  DataOrder,
  encodeSpans,
  makeBatch,
  StreamDecoder,
  Tokenizer,
  tokenizeRow,
  tokenizeRows,
} from "@qlora-js/qlora";
import { readDataFile } from "@qlora-js/qlora/node";
import { beforeAll, describe, expect, it } from "vitest";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

interface Golden {
  readonly texts: { readonly dialogues: readonly (readonly [string, string])[] };
  readonly tokenizer: readonly { readonly text: string; readonly ids: number[] }[];
  readonly f32: {
    readonly supervised: number;
    readonly texts: readonly { readonly tokens: number }[];
    readonly prompts: readonly {
      readonly question: string;
      readonly prompt: string;
      readonly ids: number[];
      readonly greedy: number[];
      readonly text: string;
    }[];
  };
  readonly train: { readonly batch: number; readonly steps: readonly { readonly supervised: number }[] };
}

describe.skipIf(!hasSmolLm2)("SmolLM2's text (skipped where ../shared is absent: it holds model and reference)", () => {
  let golden: Golden;
  let tokenizer: Tokenizer;
  let template: ChatTemplate;

  beforeAll(() => {
    const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
    const inModel = (file: string) => json(join(smolLm2Folder(), file));
    golden = json(join(SMOLLM2_REFERENCE, "golden.json")) as Golden;
    const files = {
      tokenizer: inModel("tokenizer.json"),
      config: inModel("tokenizer_config.json"),
      specialTokensMap: inModel("special_tokens_map.json"),
      generationConfig: inModel("generation_config.json"),
    };
    tokenizer = Tokenizer.from(files);
    const found = ChatTemplate.from(files, tokenizer.special);
    if (!found) throw new Error("SmolLM2 has no chat template");
    template = found;
  });

  it("becomes the same ids, and the ids the same text, at once and streamed", () => {
    for (const { text, ids } of golden.tokenizer) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
      const stream = new StreamDecoder(tokenizer, { skipSpecialTokens: false });
      expect([...ids.map((id) => stream.push(id)), stream.flush()].join("")).toBe(text);
    }
  });

  it("is rendered, tokenized and answered as by the original", () => {
    for (const { question, prompt, ids, greedy, text } of golden.f32.prompts) {
      expect(template.render([{ role: "user", content: question }], { addGenerationPrompt: true })).toBe(prompt);
      expect(tokenizer.encode(prompt)).toEqual(ids);
      expect(tokenizer.decode(greedy, { skipSpecialTokens: true })).toBe(text);
    }
  });

  it("is supervised where the assistant speaks, through the stop token and its line end", () => {
    for (const [question, answer] of golden.texts.dialogues) {
      const messages = [question, answer, question, answer].map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));
      const { text, spans } = assistantSpans(template, messages, tokenizer);
      const { ids, inside } = encodeSpans(tokenizer, text, spans);
      expect(ids).toEqual(tokenizer.encode(text));
      expect(tokenizer.decode(ids.filter((_, i) => inside[i]))).toBe(`${answer}<|im_end|>\n`.repeat(2));
    }
  });

  it("of a dialogue gives the original's training row", async () => {
    const { rows } = await readDataFile(join(SMOLLM2_REFERENCE, "train.jsonl"));
    for (const [i, [prompt, completion]] of golden.texts.dialogues.entries()) {
      const place = { file: "dialogues", line: i + 1 };
      const options = { tokenizer, template, vocabularySize: 49152, maxLength: 96 };
      const ours = tokenizeRow({ ...place, row: { kind: "completion", prompt, completion } }, options);
      const theirs = tokenizeRow(rows[i]!, options);
      expect(ours.inputIds).toEqual(theirs.inputIds);
      expect(ours.labels).toEqual(theirs.labels);
      expect(ours).toMatchObject({ stopTrained: true, truncated: false });
    }
  });

  it("makes batches with the original's supervised tokens at every step", async () => {
    const { rows } = await readDataFile(join(SMOLLM2_REFERENCE, "train.jsonl"));
    const { examples } = tokenizeRows(rows, { tokenizer, vocabularySize: 49152 });
    const order = new DataOrder(examples.length, { order: "file", batch: golden.train.batch, accumulate: 1, seed: 0 });
    const ours = golden.train.steps.map((_, step) =>
      order.microBatches(step).map(
        (batch) =>
          makeBatch(
            batch.map((row) => examples[row]!),
            2,
          ).supervised,
      ),
    );
    expect(ours).toEqual(golden.train.steps.map(({ supervised }) => [supervised]));
  });

  it("predicts as many tokens of a plain text as the original counts, and one stop token more", () => {
    const passages = golden.tokenizer.slice(-golden.f32.texts.length);
    for (const [i, { text }] of passages.entries()) {
      const example = tokenizeRow({ row: { kind: "text", text }, file: "passages", line: i + 1 }, { tokenizer, vocabularySize: 49152 });
      expect(example.supervised).toBe(golden.f32.texts[i]!.tokens - 1 + 1);
      expect(example.leadingBos).toBe(0);
    }
  });
});
