import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { assistantSpans } from "./assistant-spans.ts";
import type { ChatMessage } from "./chat-template.ts";
import { chatml, gemma, llama2, llama3, qwen3, type Sample } from "./samples.fixture.ts";

const talk = (...contents: string[]): ChatMessage[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));

function said({ template, tokenizer }: Sample, messages: readonly ChatMessage[]): { method: string; said: string[] } {
  const { text, spans, method } = assistantSpans(template, messages, tokenizer);
  return { method, said: spans.map(({ start, end }) => text.slice(start, end)) };
}

describe("assistantSpans", () => {
  it.each([
    ["ChatML", chatml(), ["Yes.<|im_end|>\n", "No.<|im_end|>\n"]],
    ["Llama 3", llama3(), ["Yes.<|eot_id|>", "No.<|eot_id|>"]],
    ["Gemma", gemma(), ["Yes.<end_of_turn>\n", "No.<end_of_turn>\n"]],
    ["Llama 2, whose answers begin with a space and end before one", llama2(), [" Yes. </s>", " No. </s>"]],
  ])("finds every turn through its end token and line end, and without its header (%s)", (_, sample, expected) => {
    expect(said(sample, talk("Is it?", "Yes.", "Is it not?", "No."))).toEqual({ method: "marks", said: expected });
  });

  it("finds answers the template trims", () => {
    const messages = talk("Is it?", "  Yes.\n", "Sure?", "\tNo. ");
    expect(said(gemma(), messages).said).toEqual(["Yes.<end_of_turn>\n", "No.<end_of_turn>\n"]);
    expect(said(chatml(), messages).said).toEqual(["  Yes.\n<|im_end|>\n", "\tNo. <|im_end|>\n"]);
  });

  it("finds answers that repeat the question, or are empty", () => {
    expect(said(chatml(), talk("Echo", "Echo", "user", "")).said).toEqual(["Echo<|im_end|>\n", "<|im_end|>\n"]);
  });

  it("leaves conversations that end with the user unfinished, and those without an assistant empty", () => {
    expect(said(chatml(), talk("Is it?", "Yes.", "Sure?")).said).toEqual(["Yes.<|im_end|>\n"]);
    expect(said(chatml(), talk("Is it?")).said).toEqual([]);
  });

  it("takes an assistant that speaks first", () => {
    expect(said(chatml(), [{ role: "assistant", content: "Hello!" }]).said).toEqual(["Hello!<|im_end|>\n"]);
  });

  it("counts all the generation prompt leaves open as said, also the reasoning block a template adds", () => {
    expect(said(qwen3(), talk("Is it?", "Yes.")).said).toEqual(["<think>\n\n</think>\n\nYes.<|im_end|>\n"]);
    expect(said(qwen3(), talk("Is it?", "<think>\nWell.\n</think>\n\nYes.")).said).toEqual([
      "<think>\nWell.\n</think>\n\nYes.<|im_end|>\n",
    ]);
  });

  it("follows a template that is not prefix-preserving: earlier reasoning is dropped", () => {
    const messages = talk("Is it?", "<think>\nWell.\n</think>\n\nYes.", "Sure?", "<think>\nHm.\n</think>\n\nNo.");
    expect(said(qwen3(), messages)).toEqual({ method: "marks", said: ["Yes.<|im_end|>\n", "<think>\nHm.\n</think>\n\nNo.<|im_end|>\n"] });
  });

  it("keeps reasoning in the answer where the template keeps it", () => {
    expect(said(chatml(), talk("Is it?", "<think>Well.</think>Yes.")).said).toEqual(["<think>Well.</think>Yes.<|im_end|>\n"]);
  });

  it("excludes the header where the template has no generation prompt", () => {
    const noPrompt = chatml("{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}");
    expect(said(noPrompt, talk("Is it?", "Yes.", "Sure?", "<think>Hm.</think>No.")).said).toEqual([
      "Yes.<|im_end|>\n",
      "<think>Hm.</think>No.<|im_end|>\n",
    ]);
  });

  it("does not count what the generation prompt already opens", () => {
    const opens = chatml(
      "{% for m in messages %}{{ m.role + ':' + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}assistant:<think>{% endif %}",
    );
    expect(said(opens, talk("Is it?", "<think>Well.</think>Yes.")).said).toEqual(["Well.</think>Yes.<|im_end|>"]);
  });

  it("finds answers the template changes, by what it writes around them", () => {
    const loud = chatml("{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content | upper + '<|im_end|>\n' }}{% endfor %}");
    expect(said(loud, talk("is it?", "yes.", "sure?", "no."))).toEqual({ method: "marks", said: ["YES.<|im_end|>\n", "NO.<|im_end|>\n"] });
  });

  const counting =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + ' ' }}{{ m.content | length }}{{ '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";

  it("falls back to differences where what the template writes depends on the answer", () => {
    const counts = chatml(`${counting}{% if add_generation_prompt %}<|im_start|>assistant {% endif %}`);
    expect(said(counts, talk("Is it?", "Yes.", "Sure?", "No."))).toEqual({
      method: "differences",
      said: ["4\nYes.<|im_end|>\n", "3\nNo.<|im_end|>\n"],
    });
  });

  it.each([
    ["writes answers twice and no generation prompt", "{% for m in messages %}{{ m.content + m.content }}{% endfor %}"],
    ["depends on the answer and has no generation prompt", counting],
    ["leaves the answers out", "{% for m in messages %}{{ m.role }}{% endfor %}"],
  ])("refuses a template that %s, naming the row", (_, source) => {
    const { template, tokenizer } = chatml(source);
    const failing = () => assistantSpans(template, talk("Is it?", "Yes."), tokenizer, "train.jsonl line 3");
    expect(failing).toThrow(UsageError);
    expect(failing).toThrow(expect.objectContaining({ where: "train.jsonl line 3", fields: { turns: 1 } }));
  });

  it("finds the answer whatever private-use characters the conversation holds", () => {
    expect(said(chatml(), talk("\uE0001\uE000", "\uE0011\uE001")).said).toEqual(["\uE0011\uE001<|im_end|>\n"]);
  });

  it.each([
    ["ChatML", chatml(), (answer: string) => `${answer}<|im_end|>\n`],
    ["Llama 3, which trims", llama3(), (answer: string) => `${answer.trim()}<|eot_id|>`],
    ["Gemma, which trims", gemma(), (answer: string) => `${answer.trim()}<end_of_turn>\n`],
  ])("shows exactly the answers in order, whatever they are (%s)", (_, sample, shown) => {
    const content = fc.oneof(fc.string(), fc.constantFrom("assistant", "\n", "<|im_start|>user\n", "</think>", "a</think>b", " "));
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 6 }), (contents) => {
        const expected = contents.filter((_, i) => i % 2 === 1).map(shown);
        expect(said(sample, talk(...contents)).said).toEqual(expected);
      }),
    );
  });
});
