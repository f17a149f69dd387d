import { describe, expect, it } from "vitest";
import { Output, type OutputOptions } from "./output.ts";

function open(isTTY: boolean, options: OutputOptions = {}): { output: Output; written: () => string } {
  let text = "";
  const stream = { isTTY, columns: 80, write: (piece: string) => (text += piece) };
  return { output: new Output({ environment: {}, ...options, stream }), written: () => text };
}

describe("Output", () => {
  it("prints text and no events at a terminal", () => {
    const { output, written } = open(true);
    output.event("step", { loss: 1 });
    output.line("loss 1");
    expect(written()).toBe("loss 1\n");
  });

  it("prints events and no text where there is no terminal, one JSON object a line", () => {
    const { output, written } = open(false);
    output.line("loss 1");
    output.status("50 %");
    output.event("step", { step: 1, loss: Number.NaN });
    output.event("done");
    expect(written()).toBe('{"event":"step","step":1,"loss":null}\n{"event":"done"}\n');
  });

  it.each([
    [true, true, '{"event":"done"}\n'],
    [false, false, "done\n"],
  ])("does what is asked for, whatever the stream is (terminal %s, json %s)", (isTTY, json, expected) => {
    const { output, written } = open(isTTY, { json });
    output.line("done");
    output.event("done");
    expect(written()).toBe(expected);
  });

  it("takes a terminal that does not know its size for one of usual size", () => {
    let text = "";
    const stream = { isTTY: true, columns: 0, write: (piece: string) => (text += piece) };
    const output = new Output({ environment: {}, stream });
    output.facts("plan", "3 epochs · 96 steps");
    expect({ columns: output.columns, text }).toEqual({ columns: 100, text: "  plan      3 epochs · 96 steps\n" });
  });

  it("overwrites the status line, and clears it before text that stays", () => {
    const { output, written } = open(true);
    output.status("10 %");
    output.status("20 %");
    output.line("done");
    output.line("next");
    expect(written()).toBe("\r\u001b[K10 %\r\u001b[K20 %\r\u001b[Kdone\nnext\n");
  });

  it("shows no status where lines cannot be overwritten", () => {
    const { output, written } = open(false, { json: false });
    output.status("10 %");
    expect(written()).toBe("");
  });

  it.each([
    [true, {}, true],
    [true, { NO_COLOR: "1" }, false],
    [true, { TERM: "dumb" }, false],
    [false, {}, false],
    [false, { FORCE_COLOR: "1" }, true],
  ])("colours text at a terminal unless told otherwise (terminal %s, %j)", (isTTY, environment, coloured) => {
    const { output } = open(isTTY, { json: false, environment });
    expect(output.colors.red("x")).toBe(coloured ? "\u001b[31mx\u001b[39m" : "x");
  });

  it("never colours events", () => {
    expect(open(true, { json: true, environment: { FORCE_COLOR: "1" } }).output.colors.red("x")).toBe("x");
  });

  it("cuts a status line to the terminal, because one that takes two lines is not overwritten", () => {
    const { output, written } = open(true);
    output.status("x".repeat(79));
    expect(written()).toBe(`\r\u001b[K${"x".repeat(79)}`);
    output.status("y".repeat(80));
    expect(written().slice(written().lastIndexOf("K") + 1)).toBe(`${"y".repeat(78)}…`);
  });

  it("prints facts on one line in a pipe, and on lines that fit at a terminal", () => {
    const long = Array.from({ length: 8 }, (_, i) => `fact number ${i}`).join(" · ");
    const [piped, shown] = [open(false, { json: false }), open(true)];
    piped.output.facts("facts", long);
    shown.output.facts("facts", long);
    expect(piped.written()).toBe(`  facts     ${long}\n`);
    const lines = shown.written().trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });
});
