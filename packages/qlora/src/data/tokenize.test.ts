import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { chatml, gemma, llama2, llama3, qwen3, type Sample } from "../text/samples.fixture.ts";
import type { Row } from "./rows.ts";
import { type Example, type TokenizeOptions, tokenizeRow, tokenizeRows } from "./tokenize.ts";

const place = (row: Row, line = 1) => ({ row, file: "a.jsonl", line });

function tokenize(sample: Partial<Sample>, row: Row, options: Partial<TokenizeOptions> = {}): Example {
  const vocabularySize = sample.tokenizer?.vocabularySize ?? 100;
  return tokenizeRow(place(row), { tokenizer: sample.tokenizer, template: sample.template, vocabularySize, ...options });
}

/** What is given and what is learnt, as text. */
function split({ tokenizer }: Sample, { inputIds, labels }: Example): { context: string; learnt: string } {
  const ids = [...inputIds];
  return {
    context: tokenizer.decode(ids.filter((_, i) => labels[i] === -100)),
    learnt: tokenizer.decode(ids.filter((_, i) => labels[i] !== -100)),
  };
}

const bare = (sample: Sample): Sample => ({ ...sample, template: undefined as never });
const chat: Row = {
  kind: "messages",
  messages: ["Is it?", "Yes.", "Sure?", "No."].map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content })),
};

describe("conversations", () => {
  it.each([
    ["ChatML", chatml(), "Yes.<|im_end|>\nNo.<|im_end|>\n", 0],
    ["Llama 3", llama3(), "Yes.<|eot_id|>No.<|eot_id|>", 1],
    ["Gemma", gemma(), "Yes.<end_of_turn>\nNo.<end_of_turn>\n", 1],
    ["Qwen 3", qwen3(), "Yes.<|im_end|>\n<think>\n\n</think>\n\nNo.<|im_end|>\n", 0],
    ["Llama 2", llama2(), "Yes. </s> No. </s>", 1],
  ])("are learnt where the assistant speaks, begin with BOS at most once, and train the stop token (%s)", (_, sample, learnt, bos) => {
    const example = tokenize(sample, chat);
    expect(split(sample, example).learnt).toBe(learnt);
    expect(example).toMatchObject({ leadingBos: bos, stopTrained: true, truncated: false });
  });

  it("have labels that are the ids at the same positions", () => {
    const { inputIds, labels, supervised } = tokenize(chatml(), chat);
    const learnt = [...labels.entries()].filter(([, label]) => label !== -100);
    expect(learnt.every(([i, label]) => inputIds[i] === label)).toBe(true);
    expect(learnt).toHaveLength(supervised);
  });

  it("get the BOS the template does not write from the tokenizer", () => {
    const sample = gemma();
    const template = chatml().template;
    const example = tokenize({ ...sample, template }, chat);
    expect(example.leadingBos).toBe(1);
  });

  it("count the bytes of what the assistant says, without special tokens", () => {
    const row: Row = {
      kind: "messages",
      messages: [
        { role: "user", content: "?" },
        { role: "assistant", content: "né 🎉" },
      ],
    };
    expect(tokenize(chatml(), row).bytes).toBe(1 + 2 + 1 + 4 + 1); // the last a line end
  });

  it("report a stop token that is not trained", () => {
    const endless = chatml(
      "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    );
    const example = tokenize(endless, chat);
    expect(split(endless, example).learnt).toBe("Yes.\nNo.\n");
    expect(example.stopTrained).toBe(false);
  });

  it("without a turn of the assistant, without a template, or without a tokenizer are refused", () => {
    const user: Row = { kind: "messages", messages: [{ role: "user", content: "hi" }] };
    expect(() => tokenize(chatml(), user)).toThrow(expect.objectContaining({ name: "UsageError", fields: { roles: ["user"] } }));
    expect(() => tokenize(bare(chatml()), chat)).toThrow(/no chat template/);
    expect(() => tokenize({}, chat)).toThrow(/no tokenizer.json/);
  });

  it("that the template refuses name their row", () => {
    const system: Row = {
      kind: "messages",
      messages: [{ role: "system", content: "x" }, ...(chat.kind === "messages" ? chat.messages : [])],
    };
    expect(() => tokenize(gemma(), system)).toThrow(expect.objectContaining({ name: "UsageError", where: "a.jsonl line 1" }));
  });
});

describe("prompts with completions", () => {
  const row: Row = { kind: "completion", prompt: "think ", completion: "thin" };

  it("are a user's and an assistant's turn where there is a template", () => {
    const sample = chatml();
    expect(split(sample, tokenize(sample, row))).toEqual({
      context: "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nthink <|im_end|>\n<|im_start|>assistant\n",
      learnt: "thin<|im_end|>\n",
    });
  });

  it("are one after the other where there is none, with BOS and one trained end", () => {
    const sample = bare(llama3());
    const example = tokenize(sample, row);
    expect(split(sample, example)).toEqual({ context: "<|begin_of_text|>think ", learnt: "thin<|eot_id|>" });
    expect(example).toMatchObject({ leadingBos: 1, stopTrained: true });
  });

  it("do not get a second end, nor a second BOS", () => {
    const sample = bare(llama3());
    const example = tokenize(sample, { kind: "completion", prompt: "<|begin_of_text|>a", completion: "b<|end_of_text|>" });
    expect(split(sample, example)).toEqual({ context: "<|begin_of_text|>a", learnt: "b<|end_of_text|>" });
  });

  it("are tokenized apart, as when text is generated", () => {
    const sample = bare(chatml());
    const example = tokenize(sample, { kind: "completion", prompt: "a\n", completion: "\nb" });
    expect([...example.inputIds].map((id) => sample.tokenizer.idToToken(id))).toEqual(["a", "Ċ", "Ċ", "b", "<|im_end|>"]);
  });

  it("put an instruction into the Alpaca format where there is no template, and into the user's turn where there is", () => {
    const instruction: Row = { kind: "instruction", instruction: "Add.", input: "1 2", output: "3" };
    const frame =
      "Below is an instruction that describes a task, paired with an input that provides further context. " +
      "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:";
    const sample = chatml();
    expect(split(sample, tokenize(bare(sample), instruction))).toEqual({ context: frame, learnt: "3<|im_end|>" });
    expect(split(sample, tokenize(sample, instruction)).context).toContain("<|im_start|>user\nAdd.\n\n1 2<|im_end|>");
    expect(split(sample, tokenize(bare(sample), { ...instruction, input: "" })).context).toBe(
      "Below is an instruction that describes a task. Write a response that appropriately completes the request." +
        "\n\n### Instruction:\nAdd.\n\n### Response:",
    );
  });
});

describe("plain text", () => {
  it("is learnt but for its first token, with BOS once and one trained end", () => {
    const sample = llama3();
    expect(split(sample, tokenize(sample, { kind: "text", text: "thin" }))).toEqual({
      context: "<|begin_of_text|>",
      learnt: "thin<|eot_id|>",
    });
    const given = tokenize(sample, { kind: "text", text: "<|begin_of_text|>thin<|eot_id|>" });
    expect(split(sample, given)).toEqual({ context: "<|begin_of_text|>", learnt: "thin<|eot_id|>" });
    expect(given.leadingBos).toBe(1);
  });

  it("has no BOS where the tokenizer puts none", () => {
    const sample = chatml();
    expect(split(sample, tokenize(sample, { kind: "text", text: "abc" }))).toEqual({ context: "a", learnt: "bc<|im_end|>" });
  });
});

describe("rows of ids", () => {
  it("are taken as they are, needing no tokenizer", () => {
    const example = tokenize({}, { kind: "tokens", inputIds: [5, 6, 7, 8], labels: [5, -100, 7, 8] });
    expect([...example.inputIds]).toEqual([5, 6, 7, 8]);
    expect([...example.labels]).toEqual([-100, -100, 7, 8]);
    expect(example).toMatchObject({ supervised: 2, bytes: 0, stopTrained: false, leadingBos: 0, fullLength: 4 });
  });

  it.each([
    ["input_ids", [1, 100, 3], [1, 2, 3]],
    ["labels", [1, 2, 3], [1, 100, 3]],
  ])("refuse %s outside the vocabulary, naming row, position and id", (_, inputIds, labels) => {
    const failing = () => tokenize({}, { kind: "tokens", inputIds, labels });
    expect(failing).toThrow(UsageError);
    expect(failing).toThrow(
      expect.objectContaining({ where: "a.jsonl line 1", fields: { file: "a.jsonl", line: 1, position: 1, id: 100, vocabularySize: 100 } }),
    );
  });

  it.each([
    [
      [1, 2],
      [-100, -100],
    ],
    [
      [1, 2],
      [1, -100],
    ],
    [[1], [1]],
  ])("refuse ids %j with labels %j: nothing is predicted", (inputIds, labels) => {
    expect(() => tokenize({}, { kind: "tokens", inputIds, labels })).toThrow(/no supervised token/);
  });
});

describe("length", () => {
  const row: Row = { kind: "tokens", inputIds: [1, 2, 3, 4, 5], labels: [-100, -100, 3, 4, 5] };

  it("is cut on the right", () => {
    const example = tokenize({}, row, { maxLength: 4, maxPositions: 4 });
    expect([...example.inputIds]).toEqual([1, 2, 3, 4]);
    expect(example).toMatchObject({ truncated: true, fullLength: 5, supervised: 2 });
    expect(tokenize({}, row, { maxLength: 5 }).truncated).toBe(false);
  });

  it("beyond the model's positions is an error unless it is cut", () => {
    expect(() => tokenize({}, row, { maxPositions: 4 })).toThrow(
      expect.objectContaining({ name: "UsageError", fields: { line: 1, length: 5, maxPositions: 4 } }),
    );
  });

  it.each([1, 2.5, 9])("of %d is refused as a limit", (maxLength) => {
    expect(() => tokenize({}, row, { maxLength, maxPositions: 8 })).toThrow(expect.objectContaining({ where: "--max-length" }));
  });

  it("may empty a row, which is counted and left out", () => {
    const late: Row = { kind: "tokens", inputIds: [1, 2, 3], labels: [-100, -100, 3] };
    const options = { vocabularySize: 10, maxLength: 2 };
    const { examples, emptied } = tokenizeRows([place(late, 1), place({ ...late, labels: [-100, 2, 3] }, 2)], options);
    expect(examples.map(({ line }) => line)).toEqual([2]);
    expect(emptied.map(({ line }) => line)).toEqual([1]);
    expect(() => tokenizeRows([place(late)], options)).toThrow(
      expect.objectContaining({ name: "UsageError", fields: { maxLength: 2, rows: 1 } }),
    );
  });
});

describe("rows of ids", () => {
  it("stand side by side with their labels", () => {
    expect(() => tokenize({}, { kind: "tokens", inputIds: [1, 2], labels: [1] })).toThrow(
      /^a\.jsonl line 1: input_ids \+ labels: labels has 1 entries and input_ids 2; they stand side by side/,
    );
  });
});

describe("for a model with an encoder", () => {
  const encoderDecoder = { decoderStartId: 0 };

  it("ids are a source, and labels a target of another length, which the decoder begins with its start token", () => {
    const example = tokenize({}, { kind: "tokens", inputIds: [5, 6, 7], labels: [8, -100, 9, 1] }, encoderDecoder);
    expect([...example.source!]).toEqual([5, 6, 7]);
    expect([...example.inputIds]).toEqual([0, 8, 0, 9, 1]);
    expect([...example.labels]).toEqual([-100, 8, -100, 9, 1]);
  });

  it.each<[string, Row]>([
    ["a prompt", { kind: "completion", prompt: "How?", completion: "So." }],
    ["an instruction", { kind: "instruction", instruction: "How?", input: "", output: "So." }],
    [
      "a message",
      {
        kind: "messages",
        messages: [
          { role: "user", content: "How?" },
          { role: "assistant", content: "So." },
        ],
      },
    ],
  ])("%s is the source and its answer the target, both ended", (_, row) => {
    const { tokenizer, template } = chatml();
    const example = tokenize({ tokenizer, template }, row, encoderDecoder);
    expect(tokenizer.decode([...example.source!], { skipSpecialTokens: false })).toBe("How?<|im_end|>");
    expect(tokenizer.decode([...example.inputIds.slice(1)], { skipSpecialTokens: false })).toBe("So.<|im_end|>");
    expect([...example.labels.slice(1)]).toEqual([...example.inputIds.slice(1)]);
  });

  it("a long source is cut before its end token", () => {
    const example = tokenize({}, { kind: "tokens", inputIds: [5, 6, 7, 1], labels: [8, 1] }, { ...encoderDecoder, maxLength: 3 });
    expect([...example.source!]).toEqual([5, 6, 1]);
    expect(example.truncated).toBe(true);
  });

  it.each<[string, Row]>([
    ["text", { kind: "text", text: "All of it." }],
    [
      "several turns",
      {
        kind: "messages",
        messages: [
          { role: "assistant", content: "a" },
          { role: "user", content: "b" },
          { role: "assistant", content: "c" },
        ],
      },
    ],
  ])("%s is refused", (_, row) => {
    expect(() => tokenize(chatml(), row, encoderDecoder)).toThrow(expect.objectContaining({ name: "UsageError" }));
  });
});
