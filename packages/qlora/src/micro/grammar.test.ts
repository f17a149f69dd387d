import { fold, key } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draws } from "./draw.ts";
import { type MicroDocument, microGrammar, microText } from "./grammar.ts";
import { storyText, tellStory } from "./stories/story.ts";
import { allFacts, factsByTopic } from "./world/facts.ts";

const grammar = microGrammar();
const texts = (seed: number, count: number) => {
  const draw = draws(key(seed));
  return Array.from({ length: count }, () => microText(grammar(draw)));
};
const documents = (count: number): MicroDocument[] => {
  const draw = draws(fold(key(5), 9));
  return Array.from({ length: count }, () => grammar(draw));
};

describe("the grammar", () => {
  it("gives the same text for the same random numbers, whatever was made before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (seed) => {
        expect(texts(seed, 5)).toEqual(texts(seed, 5));
      }),
      { numRuns: 20 },
    );
    expect(microText(microGrammar()(draws(key(3))))).toBe(texts(3, 1)[0]);
  });

  it("gives different text for different seeds", () => {
    expect(texts(1, 20)).not.toEqual(texts(2, 20));
  });

  it("makes chats that take turns, beginning with the user and ending with the assistant", () => {
    for (const document of documents(2000)) {
      if (!("messages" in document)) continue;
      expect(document.messages.length % 2).toBe(0);
      document.messages.forEach(({ role, content }, i) => {
        expect(role).toBe(i % 2 === 0 ? "user" : "assistant");
        expect(content.trim()).toBe(content);
        expect(content).not.toBe("");
      });
    }
  });

  it("leaves no blank of a template unfilled and writes nothing undefined", () => {
    for (const text of texts(7, 3000)) expect(text).not.toMatch(/[{}]|undefined|\bNaN\b| {2}/);
  });

  it("tells stories of a few sentences, and asks only what they say", () => {
    const draw = draws(key(31));
    for (let i = 0; i < 1000; i++) {
      const story = tellStory(draw);
      const text = storyText(story);
      expect(story.sentences.length).toBeGreaterThanOrEqual(5);
      expect(story.sentences.length).toBeLessThanOrEqual(6);
      expect(story.asks.length).toBeGreaterThan(0);
      for (const [, statement] of story.asks) expect(text.split(/\W+/), text).toContain(statement.split(" ").at(-1));
    }
  });

  it("speaks of every topic in a few thousand documents", () => {
    const said = texts(11, 12_000).join("\n");
    for (const [topic, facts] of factsByTopic()) {
      expect(
        facts.some(({ questions }) => questions.some((question) => said.includes(question))),
        topic,
      ).toBe(true);
    }
  });
});

describe("the closed world", () => {
  it("has one answer to every question", () => {
    const answers = new Map<string, string>();
    for (const { questions, statement, yes, no } of allFacts()) {
      const asked = [
        ...questions.map((q) => [q, statement]),
        ...yes.map((q) => [q, `yes, ${statement}`]),
        ...no.map((q) => [q, `no, ${statement}`]),
      ];
      for (const [question, answer] of asked) {
        expect(answers.get(question!) ?? answer, question).toBe(answer);
        answers.set(question!, answer!);
      }
    }
    expect(answers.size).toBeGreaterThan(10_000);
  });

  it("adds and subtracts rightly in every sum it states", () => {
    const sums = allFacts().flatMap(({ statement }) => {
      const parts = /^(\d+) ([+-]) (\d+) = (\d+)$/.exec(statement);
      return parts === null ? [] : [parts];
    });
    expect(sums.length).toBe(121 + 66);
    for (const [, a, sign, b, total] of sums) expect(Number(a) + (sign === "+" ? 1 : -1) * Number(b)).toBe(Number(total));
  });
});
