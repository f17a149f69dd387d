import { key } from "@qlora-js/core";
import { describe, expect, it } from "vitest";
import { draws } from "./draw.ts";
import { microExam } from "./exam.ts";
import { microGrammar } from "./grammar.ts";
import { microWindow } from "./window.ts";

const encode = (text: string) => [...text].map((sign) => sign.codePointAt(0)!);

describe("microWindow", () => {
  it("fills exactly the length, the same for the same draws", () => {
    const grammar = microGrammar();
    for (const length of [1, 100, 3000]) {
      const window = microWindow(grammar, encode, draws(key(4)), length);
      expect(window.length).toBe(length);
      expect(microWindow(grammar, encode, draws(key(4)), 5000).slice(0, length)).toEqual(window);
    }
  });
});

describe("microExam", () => {
  it("asks each fact once and ends each answer with a full stop", () => {
    const exam = microExam();
    expect(exam.length).toBeGreaterThan(1400);
    for (const { answer } of exam) expect(answer).toMatch(/^[A-Z0-9].*\.$/);
    expect(exam.map(({ answer }) => answer)).toContain("The capital of France is Paris.");
  });
});
