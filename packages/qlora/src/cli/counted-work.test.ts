import { describe, expect, it } from "vitest";
import { CountedWork } from "./counted-work.ts";
import { Output } from "./output.ts";

function shown(
  options: { json: boolean; isTTY: boolean },
  unit: string | undefined,
  marks: readonly (readonly [ms: number, done: number])[],
) {
  const written: string[] = [];
  const output = new Output({ json: options.json, stream: { write: (text) => written.push(text), isTTY: options.isTTY, columns: 80 } });
  let clock = 0;
  const work = new CountedWork(output, "reading", unit, () => clock);
  for (const [ms, done] of marks) {
    clock = ms;
    work.show(done, 8);
  }
  return written.map((text) => text.replace("\r\u001b[K", ""));
}

describe("CountedWork", () => {
  it("tells a program what is done and what is left, every five seconds", () => {
    const lines = shown({ json: true, isTTY: false }, "windows", [
      [1000, 1],
      [5000, 2],
      [6000, 3],
      [11_000, 4],
    ]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: "progress", what: "reading", done: 2, of: 8, unit: "windows", secondsLeft: 15 },
      { event: "progress", what: "reading", done: 4, of: 8, unit: "windows", secondsLeft: 11 },
    ]);
  });

  it("tells a person at a terminal at once, and the time left when it can be guessed", () => {
    const lines = shown({ json: false, isTTY: true }, "windows", [
      [500, 1],
      [4000, 2],
    ]);
    expect(lines).toEqual(["  reading   1/8 windows", "  reading   2/8 windows · 0:12 left"]);
  });

  it("shows bytes as a share", () => {
    expect(shown({ json: false, isTTY: true }, undefined, [[10, 2]])).toEqual(["  reading   25 %"]);
  });
});
