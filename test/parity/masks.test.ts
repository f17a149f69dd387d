// Where the loss is in a conversation, against TRL: its assistant_only_loss on templates that mark what the assistant says, and its completions on templates
// as models ship them, for every turn. Eight templates, 22 conversations (make_masks.py), and one whose answers grow together with what stands before them.
import { assistantSpans, ChatTemplate, encodeSpans, Tokenizer, tokenizeRow } from "@qlora-js/qlora";
import { describe, expect, it } from "vitest";
import { MASKS, type MaskCase, type MaskTemplate } from "../reference/masks.ts";
import { TOKENIZERS } from "../reference/tokenizers.ts";

function tools({ kind, plain, marked }: MaskTemplate) {
  const tokenizer = Tokenizer.from({ tokenizer: TOKENIZERS.kinds[kind]!.tokenizer, config: TOKENIZERS.kinds[kind]!.config });
  return { tokenizer, plain: new ChatTemplate(plain, tokenizer.special), marked: new ChatTemplate(marked, tokenizer.special) };
}

function ours(template: ChatTemplate, tokenizer: Tokenizer, messages: MaskCase["messages"], spansFrom = 0) {
  const { text, spans } = assistantSpans(template, messages, tokenizer);
  const { ids, inside } = encodeSpans(tokenizer, text, spans.slice(spansFrom));
  return { text, ids, mask: inside.map(Number) };
}

/** Qwen 2.5's marks take in the line end of the role's header, which the prompt that generation starts from has already. */
const withoutFirsts = (mask: readonly number[]): number[] => mask.map((value, i) => (mask[i - 1] === 0 ? 0 : value));

describe.each(Object.entries(MASKS))("under the template of %s", (name, reference) => {
  const { tokenizer, plain, marked } = tools(reference);
  const easy = reference.cases.slice(0, -1);

  it("the loss is where assistant_only_loss puts it, if the template marks the assistant's words", () => {
    const accepted = easy.filter((one) => one.marked !== null);
    expect(accepted.length).toBeGreaterThanOrEqual(14);
    expect(accepted.map(({ messages }) => ours(marked, tokenizer, messages))).toEqual(accepted.map((one) => one.marked));
  });

  it("the loss is there without marks too, where both templates write the same", () => {
    const alike = easy.filter((one) => one.marked !== null && one.marked.text === one.plain?.text);
    expect(alike.length).toBeGreaterThanOrEqual(name === "qwen3" ? 7 : 14); // TRL's Qwen 3 keeps the reasoning that the model's own template drops
    const wanted = alike.map((one) => ({ ...one.marked, mask: name === "qwen2_5" ? withoutFirsts(one.marked!.mask) : one.marked!.mask }));
    expect(alike.map(({ messages }) => ours(plain, tokenizer, messages))).toEqual(wanted);
  });

  it("the loss on each turn that ends a conversation is on TRL's completion", () => {
    const turns = easy.flatMap(({ messages, completions }) =>
      completions.map((one) => ({ ...one, messages: messages.slice(0, one.turn + 1) })),
    );
    expect(turns.length).toBeGreaterThan(20);
    const found = turns.map(({ messages }) => ours(plain, tokenizer, messages, -1));
    expect(found.map(({ ids, mask }) => ({ ids, mask }))).toEqual(
      turns.map(({ ids, begin }) => ({ ids, mask: ids.map((_, i) => Number(i >= begin)) })),
    );
  });

  it("conversations that the template refuses are refused", () => {
    for (const { messages } of reference.cases.filter((one) => one.plain === null))
      expect(() => ours(plain, tokenizer, messages)).toThrow(/refuses these messages/);
  });

  it("rows of messages get these labels", () => {
    const accepted = easy.filter((one) => one.marked?.mask.includes(1));
    for (const { messages, marked: wanted } of accepted) {
      const row = { row: { kind: "messages", messages }, file: "talk.jsonl", line: 1 } as const;
      const example = tokenizeRow(row, { tokenizer, template: marked, vocabularySize: tokenizer.vocabularySize });
      // one token goes before the text where the tokenizer adds it and the template does not write it; TRL has none then (Zephyr)
      const before = example.inputIds.length - wanted!.ids.length;
      expect(before).toBe(name === "zephyr" ? 1 : 0);
      expect([...example.labels].slice(before)).toEqual(wanted!.ids.map((id, i) => (wanted!.mask[i] === 1 ? id : -100)));
    }
  });
});

describe("answers whose first characters grow together with what stands before them", () => {
  it("are cut where generation would begin, where TRL takes the token that holds both", () => {
    const { tokenizer, plain } = tools(MASKS.chatml!);
    const { messages, plain: theirs } = MASKS.chatml!.cases.at(-1)!;
    const { ids, mask } = ours(plain, tokenizer, messages);
    expect(tokenizer.decode(ids)).toBe(tokenizer.decode(theirs!.ids));
    expect(ids.length).toBe(theirs!.ids.length + 1);
    expect(tokenizer.decode(ids.filter((_, i) => mask[i] === 1))).toBe(" Yes.<|im_end|>\n\n\nNo.<|im_end|>\n");
  });
});
