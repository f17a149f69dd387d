import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { type JsonLine, jsonLines } from "./jsonl.ts";

async function read(chunks: string[], options?: { longestLine: number }): Promise<JsonLine[]> {
  const found: JsonLine[] = [];
  for await (const line of jsonLines(chunks, "a.jsonl", options)) found.push(line);
  return found;
}

describe("jsonLines", () => {
  it("reads one value a line and counts the blank lines it skips", async () => {
    expect(await read(['{"a":1}\r\n\n  \n[2]\n"x"'])).toEqual([
      { line: 1, value: { a: 1 } },
      { line: 4, value: [2] },
      { line: 5, value: "x" },
    ]);
  });

  it("reads nothing from nothing, and drops a byte-order mark", async () => {
    expect(await read([])).toEqual([]);
    expect(await read(["", "\n\n"])).toEqual([]);
    expect(await read(["", "\uFEFF1"])).toEqual([{ line: 1, value: 1 }]);
  });

  it("does not depend on where the chunks are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.array(fc.nat(60), { maxLength: 8 }), async (values, cuts) => {
        const text = values.map((value) => JSON.stringify(value)).join("\n");
        const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((end, i) => text.slice(at[i], end));
        expect((await read(chunks)).map(({ value }) => JSON.stringify(value))).toEqual(values.map((value) => JSON.stringify(value)));
      }),
    );
  });

  it("shows nothing of a broken line that a terminal would act upon", async () => {
    await expect(read(["\u001b[2J\u009bboo\u0007"])).rejects.toThrow(/line 1: is not JSON: \ufffd\[2J\ufffdboo\ufffd$/);
  });

  it("numbers a broken line and shows how it begins", async () => {
    const failing = read([`1\n\n{"a": ${"x".repeat(100)}}\n2`]);
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toMatchObject({
      where: "a.jsonl line 3",
      fields: { file: "a.jsonl", line: 3, excerpt: `{"a": ${"x".repeat(54)}…` },
    });
  });

  it("says how to write a list of rows", async () => {
    await expect(read(['[\n{"text":"a"}\n]'])).rejects.toThrow(/one object a line/);
  });

  it("stops at a line longer than it reads, before it has come to its end", async () => {
    let taken = 0;
    function* endless() {
      for (;;) {
        taken++;
        yield "x".repeat(10);
      }
    }
    const reading = (async () => {
      for await (const _ of jsonLines(endless(), "a.jsonl", { longestLine: 25 })) expect.unreachable();
    })();
    await expect(reading).rejects.toMatchObject({ fields: { line: 1 } });
    expect(taken).toBe(3);
  });
});
