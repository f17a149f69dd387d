import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { type PlacedRow, parseRow, readRows } from "./rows.ts";

const parse = (value: unknown) => parseRow({ value, line: 3 }, "a.jsonl");
const read = async (...values: unknown[]): Promise<PlacedRow[]> => {
  const rows: PlacedRow[] = [];
  for await (const row of readRows([values.map((value) => JSON.stringify(value)).join("\n")], "a.jsonl")) rows.push(row);
  return rows;
};

describe("parseRow", () => {
  const messages = [{ role: "user", content: "hi", name: "Ada" }];

  it.each([
    [{ messages }, { kind: "messages", messages }],
    [
      { prompt: "a", completion: "b", id: 1 },
      { kind: "completion", prompt: "a", completion: "b" },
    ],
    [
      { instruction: "a", input: "i", output: "b", text: "whole" },
      { kind: "instruction", instruction: "a", input: "i", output: "b" },
    ],
    [
      { instruction: "a", output: "b" },
      { kind: "instruction", instruction: "a", input: "", output: "b" },
    ],
    [
      { instruction: "a", input: null, output: "b" },
      { kind: "instruction", instruction: "a", input: "", output: "b" },
    ],
    [{ text: "a" }, { kind: "text", text: "a" }],
    [
      { input_ids: [1, 2], labels: [-100, 2], attention_mask: [1, 1] },
      { kind: "tokens", inputIds: [1, 2], labels: [-100, 2] },
    ],
  ])("recognises %j", (value, row) => {
    expect(parse(value)).toEqual({ row, file: "a.jsonl", line: 3 });
  });

  it.each([
    [{ promt: "a", completion: "b" }, "completion", 'rename "promt" to "prompt"'],
    [{ Instruction: "a", output: "b" }, "instruction", 'rename "Instruction" to "instruction"'],
    [{ input_ids: [1] }, "tokens", 'add "labels"'],
    [{ message: [] }, "messages", 'rename "message" to "messages"'],
    [{ instruction: "a", response: "b" }, "instruction", 'add "output"'],
  ])("names the nearest kind for %j", (value, nearest, change) => {
    expect(() => parse(value)).toThrow(UsageError);
    expect(() => parse(value)).toThrow(expect.objectContaining({ where: "a.jsonl line 3", message: expect.stringContaining(change) }));
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ fields: { file: "a.jsonl", line: 3, keys: Object.keys(value), nearest } }),
    );
  });

  it.each([
    [{}, /an object without keys fit no kind of row\. Known rows/],
    [{ question: "a", answer: "b" }, /the keys "question", "answer" fit no kind of row\. Known rows/],
  ])("names no kind as the nearest where none is near: %j", (value, message) => {
    expect(() => parse(value)).toThrow(message);
  });

  it("says how the field that is wrong reads, and how rows are written", () => {
    expect(() => parse({ input_ids: [1, -2], labels: [1, 2] })).toThrow(/line 3: input_ids\[1\] is -2: .*Write rows as \{"input_ids"/);
    expect(() => parse({ text: [[1]] })).toThrow(/text is \[\[1\]\]: expected string, received array\. Write rows as \{"text":"…"\}/);
  });

  it.each([
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "user", content: null }] }, "messages.0.content"],
    [{ messages: [{ role: "", content: "a" }] }, "messages.0.role"],
    [{ prompt: 1, completion: "b" }, "prompt"],
    [{ input_ids: [1, 2.5], labels: [1, 2] }, "input_ids.1"],
    [{ input_ids: [1, -1], labels: [1, 2] }, "input_ids.1"],
    [{ input_ids: [1, 2], labels: [1, -1] }, "labels.1"],
    [{ input_ids: [], labels: [] }, "input_ids"],
  ])("names the field that is wrong in %j", (value, path) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ name: "UsageError", fields: { file: "a.jsonl", line: 3, path } }));
  });

  it.each([[[1]], [null], ["text"], [7]])("refuses %j, which is no object", (value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ name: "UsageError", fields: { file: "a.jsonl", line: 3 } }));
  });
});

describe("readRows", () => {
  it("gives the rows with their lines", async () => {
    expect((await read({ text: "a" }, { text: "b" })).map(({ line }) => line)).toEqual([1, 2]);
  });

  it("refuses an empty file", async () => {
    await expect(read()).rejects.toMatchObject({ name: "UsageError", where: "a.jsonl" });
  });

  it("refuses a row of another kind than the first", async () => {
    await expect(read({ text: "a" }, { text: "b" }, { prompt: "a", completion: "b" })).rejects.toMatchObject({
      where: "a.jsonl line 3",
      fields: { file: "a.jsonl", line: 3, kind: "completion", expected: "text" },
    });
  });
});
