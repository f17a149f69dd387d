import { describe, expect, it } from "vitest";
import { chatml } from "../text/samples.fixture.ts";
import { previewSegments, previewTokens } from "./preview.ts";
import { tokenizeRow } from "./tokenize.ts";

describe("previewSegments", () => {
  const { tokenizer, template } = chatml("{% for m in messages %}{{ m.role + '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}");
  const messages = [
    { role: "user", content: "né?" },
    { role: "assistant", content: "Ja 🎉" },
  ];
  const row = { row: { kind: "messages" as const, messages }, file: "a.jsonl", line: 1 };
  const example = tokenizeRow(row, { tokenizer, template, vocabularySize: tokenizer.vocabularySize });

  it("joins what is given and what is learnt, and keeps special tokens apart", () => {
    expect(previewSegments(example, tokenizer)).toEqual([
      { text: "user", kind: "context", supervised: false },
      { text: "<|im_start|>", kind: "special", supervised: false },
      { text: "né?", kind: "context", supervised: false },
      { text: "<|im_end|>", kind: "special", supervised: false },
      { text: "assistant", kind: "context", supervised: false },
      { text: "<|im_start|>", kind: "special", supervised: false },
      { text: "Ja 🎉", kind: "supervised", supervised: true },
      { text: "<|im_end|>", kind: "special", supervised: true },
    ]);
  });

  it("gives every token its text, a character of several tokens at the last of them", () => {
    const tokens = previewTokens(example, tokenizer);
    expect(tokens.map(({ id }) => id)).toEqual([...example.inputIds]);
    expect(tokens.slice(-5).map(({ text }) => text)).toEqual(["", "", "", "🎉", "<|im_end|>"]);
  });

  it("shows half a character at a cut, and ids without a tokenizer", () => {
    const cut = { inputIds: example.inputIds.slice(-6, -2), labels: example.labels.slice(-6, -2) };
    expect(previewSegments(cut, tokenizer)).toEqual([{ text: " \uFFFD", kind: "supervised", supervised: true }]);
    const ids = { inputIds: Int32Array.of(7, 8, 9), labels: Int32Array.of(-100, 8, 9) };
    expect(previewSegments(ids)).toEqual([
      { text: "7 ", kind: "context", supervised: false },
      { text: "8 9 ", kind: "supervised", supervised: true },
    ]);
  });
});
