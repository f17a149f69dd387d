// Every example runs as it is, and shows what it says it shows.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const examples = resolve(import.meta.dirname, "../../examples/dist");
const run = (name: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [join(examples, `${name}.js`), ...args], { encoding: "utf8", timeout: 120_000 });
const numbersAfter = (text: string, label: string): number[] =>
  new RegExp(`${label}\\s+(.*)`)
    .exec(text)![1]!
    .match(/-?\d+\.\d+/g)!
    .map(Number);

describe("examples", () => {
  it("tensors: hand, tape and differences agree, and nothing stays", () => {
    const text = run("tensors");
    const byHand = numbersAfter(text, "by hand");
    expect(numbersAfter(text, "by tape")).toEqual(byHand);
    for (const [i, value] of numbersAfter(text, "measured").entries()) expect(value).toBeCloseTo(byHand[i]!, 2);
    expect(text).toContain("live buffers at the end: 0");
  });

  it("nf4: NF4 errs less than Int4 and FP4 on normal weights, at 4.127 bits", () => {
    const text = run("nf4");
    const error = (name: string): number => numbersAfter(text, `  ${name}`)[0]!;
    expect(error("NF4, double quant\\.")).toBeLessThan(error("Int4"));
    expect(error("Int4")).toBeLessThan(error("FP4"));
    expect(text).toMatch(/NF4, double quant\.\s+\d+\.\d+ %\s+4\.127/);
  });

  it("lora-by-hand: two thin matrices learn a change of their rank", () => {
    const [, from, to] = /loss (\S+) → (\S+)/.exec(run("lora-by-hand"))!;
    expect(Number(from)).toBeGreaterThan(1);
    expect(Number(to)).toBeLessThan(1e-3);
  });

  it("finetune: the micro model takes on the style, and nothing stays", () => {
    const text = run("finetune");
    const answer = (when: string): string => new RegExp(`${when}:\\s+(.*?)   \\(validation`).exec(text)![1]!;
    const loss = (when: string): number => Number(new RegExp(`${when}:.*validation loss (\\S+)\\)`).exec(text)![1]);
    expect(answer("before")).not.toContain("matey");
    expect(answer("after")).toContain("matey");
    expect(loss("after")).toBeLessThan(loss("before") / 2);
    expect(text).toContain("live buffers at the end: 0");
  });
});
