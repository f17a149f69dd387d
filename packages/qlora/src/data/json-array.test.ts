import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { fuzzCases } from "../fuzz-cases.fixture.ts";
import { jsonArray } from "./json-array.ts";

async function read(chunks: Iterable<string>): Promise<{ line: number; value: unknown }[]> {
  const rows: { line: number; value: unknown }[] = [];
  for await (const row of jsonArray(chunks, "rows.json")) rows.push(row);
  return rows;
}

/** A text in pieces. */
const pieces = (text: string, cuts: readonly number[]): string[] => {
  const places = [0, ...[...cuts].map((c) => c % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((to, i) => text.slice(places[i], to));
};

describe("a list of rows", () => {
  it("has the values the parser gives for the whole, however it is written and cut", async () => {
    const cuts = fc.array(fc.nat(10_000), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.constantFrom(0, 2, "\t"), cuts, async (rows, space, cuts) => {
        const text = JSON.stringify(rows, undefined, space);
        expect((await read(pieces(text, cuts))).map(({ value }) => value)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it("is read as the parser does or refused, whatever is in it", async () => {
    const text = fc.array(fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", "a", "1", ":", " ", "\n", '"a"', '{"a":1}'), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(text, async (parts) => {
        const whole = `[${parts.join("")}`;
        let expected: unknown;
        try {
          expected = JSON.parse(whole);
        } catch {
          await expect(read([whole])).rejects.toThrow(UsageError);
          return;
        }
        expect((await read([whole])).map(({ value }) => value)).toEqual(expected);
      }),
      { numRuns: fuzzCases(2000) },
    );
  });

  it("knows the line each row begins in", async () => {
    const text = '\uFEFF[\n {\n  "text": "a\\n,]"\n },\n\n {"text": "b"}, {"text": "c"}\n]\n';
    expect(await read([text])).toEqual([
      { line: 2, value: { text: "a\n,]" } },
      { line: 6, value: { text: "b" } },
      { line: 6, value: { text: "c" } },
    ]);
  });

  it("names the line of what is wrong", async () => {
    await expect(read(['[\n{"a": 1},\n{"a" 2}\n]'])).rejects.toThrow(/^rows\.json line 3: begins a row that is not JSON/);
    await expect(read(['[\n{"a": 1},\n'])).rejects.toThrow("line 3: is the last, and the list is not closed");
    await expect(read(["[1]\n[2]"])).rejects.toThrow('line 2: has "[" where the list is over');
  });
});
