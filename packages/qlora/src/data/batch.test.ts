import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeBatch } from "./batch.ts";
import { tokenizeRow } from "./tokenize.ts";

const example = (inputIds: number[], labels: number[]) =>
  tokenizeRow({ row: { kind: "tokens", inputIds, labels }, file: "a.jsonl", line: 1 }, { vocabularySize: 100 });

describe("makeBatch", () => {
  it("pads on the right, with labels that are not supervised by position", () => {
    const pad = 9; // also the stop token
    expect(makeBatch([example([1, 2, pad], [-100, 2, pad]), example([3, pad], [-100, pad])], pad)).toEqual({
      inputIds: Int32Array.of(1, 2, 9, 3, 9, 9),
      labels: Int32Array.of(-100, 2, 9, -100, 9, -100),
      batch: 2,
      length: 3,
      supervised: 3,
      lengths: [3, 2],
      bytes: 0,
    });
  });

  it("counts the supervised labels after the shift, whatever the company a row is in", () => {
    const ids = fc.array(fc.nat(99), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 5 }), fc.nat(99), (rows, padId) => {
        const examples = rows.map((inputIds) =>
          example(
            inputIds,
            inputIds.map((id, i) => (i % 3 === 1 ? id : -100)),
          ),
        );
        const together = makeBatch(examples, padId);
        const alone = examples.map((one) => makeBatch([one], padId).supervised);
        expect(together.supervised).toBe(alone.reduce((a, b) => a + b, 0));
        expect(together.supervised).toBe(examples.reduce((sum, one) => sum + one.supervised, 0));
        expect(together.inputIds).toHaveLength(together.batch * together.length);
        for (const [row, one] of examples.entries()) {
          const start = row * together.length;
          expect(together.inputIds.slice(start, start + one.inputIds.length)).toEqual(one.inputIds);
          expect(together.labels.slice(start, start + one.labels.length)).toEqual(one.labels);
        }
      }),
    );
  });
});
