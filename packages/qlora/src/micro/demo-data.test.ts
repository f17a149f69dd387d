import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type DemoRow, demoData } from "./demo-data.ts";
import { microDemoUrl } from "./location.ts";
import { pirate } from "./pirate.ts";

const data = demoData();
const questions = (rows: readonly DemoRow[]) => rows.map(({ messages }) => messages[0]!.content);
const answers = (rows: readonly DemoRow[]) => rows.map(({ messages }) => messages[1]!.content);

describe("pirate", () => {
  it("speaks of the sky as a pirate would", () => {
    expect(pirate("the sky is blue")).toBe("Arr, the sky be blue, matey!");
    expect(pirate("yes, you can sit with a chair")).toBe("Arr, aye, ye can sit with a chair, matey!");
    expect(pirate("no, 2 + 3 = 5")).toBe("Arr, nay, 2 + 3 be 5, matey!");
  });

  it("changes whole words only", () => {
    expect(pirate("a fish has no legs, this island")).toBe("Arr, a fish has no legs, this island, matey!");
  });
});

describe("the demo's data", () => {
  it("has enough rows of both parts and three prompts", () => {
    expect(data.train.length).toBe(256);
    expect(data.valid.length).toBe(64);
    expect(data.prompts.length).toBe(3);
  });

  it("shares no question between train, valid and prompts, and repeats none", () => {
    const all = [...questions(data.train), ...questions(data.valid), ...data.prompts];
    expect(new Set(all).size).toBe(all.length);
  });

  it("shares no fact between train and valid, so that no answer can be copied", () => {
    const plain = (answer: string) => answer.replace(/^Arr, (aye, |nay, )?/, "");
    const known = new Set(answers(data.train).map(plain));
    for (const answer of answers(data.valid)) expect(known.has(plain(answer)), answer).toBe(false);
  });

  it("answers everything in style", () => {
    for (const answer of [...answers(data.train), ...answers(data.valid)]) expect(answer).toMatch(/^Arr, .*, matey!$/);
  });

  it("is what the committed files hold", () => {
    const read = (name: string) => readFileSync(new URL(name, microDemoUrl()), "utf8");
    const rows = (name: string) =>
      read(name)
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect(rows("train.jsonl")).toEqual(data.train);
    expect(rows("valid.jsonl")).toEqual(data.valid);
    expect(JSON.parse(read("prompts.json"))).toEqual(data.prompts);
  });
});
