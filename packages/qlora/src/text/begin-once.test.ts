import { describe, expect, it } from "vitest";
import { encodePrompt } from "./begin-once.ts";
import { chatml, llama3 } from "./samples.fixture.ts";

describe("encodePrompt", () => {
  const messages = [{ role: "user", content: "hi" }];

  it("begins with BOS once, whoever writes it", () => {
    const { tokenizer, template } = llama3();
    const bos = tokenizer.special.bos?.id;
    const count = (text: string) => encodePrompt(text, tokenizer).filter((id) => id === bos).length;
    expect(count("hi")).toBe(1);
    expect(count(template.render(messages, { addGenerationPrompt: true }))).toBe(1);
  });

  it("adds nothing where the tokenizer adds nothing", () => {
    const { tokenizer } = chatml();
    expect(encodePrompt("in", tokenizer)).toEqual([tokenizer.tokenToId("in")]);
  });
});
