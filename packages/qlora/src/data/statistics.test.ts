import { describe, expect, it } from "vitest";
import { llama3 } from "../text/samples.fixture.ts";
import { dataStatistics } from "./statistics.ts";
import { tokenizeRows } from "./tokenize.ts";

const row = (length: number, supervised: number, line: number) => {
  const inputIds = Array.from({ length }, (_, i) => i + 1);
  return {
    row: { kind: "tokens" as const, inputIds, labels: inputIds.map((id, i) => (i < length - supervised ? -100 : id)) },
    file: "a.jsonl",
    line,
  };
};

describe("dataStatistics", () => {
  it("counts lengths before cutting, what was cut, and what the loss is on", () => {
    const rows = [row(4, 2, 1), row(8, 5, 2), row(12, 1, 3), row(6, 3, 4)];
    const statistics = dataStatistics(tokenizeRows(rows, { vocabularySize: 100, maxLength: 6 }), "tokens");
    expect(statistics).toEqual({
      rows: 4,
      kind: "tokens",
      tokens: { p50: 6, p95: 12, max: 12, total: 30 },
      truncated: { rows: { count: 2, share: 0.5 }, tokens: { count: 8, share: 8 / 30 } },
      supervised: { count: 2 + 3 + 3, share: 8 / 22 },
      emptied: 1,
      bos: { none: 4, once: 0, more: 0 },
      stop: { trained: 0, untrained: 2 },
      bytes: 0,
    });
  });

  it("tells rows that stop from rows that do not, and counts the BOS they begin with", () => {
    const { tokenizer } = llama3();
    const [bos, end] = [0, 4];
    const lists = [
      [bos, 5, end],
      [bos, bos, 5, 6],
      [5, 6, 1],
    ];
    const rows = lists.map((ids, i) => ({ row: { kind: "tokens" as const, inputIds: ids, labels: ids }, file: "a.jsonl", line: i + 1 }));
    const statistics = dataStatistics(tokenizeRows(rows, { vocabularySize: tokenizer.vocabularySize, tokenizer }), "tokens");
    expect(statistics).toMatchObject({ bos: { none: 1, once: 1, more: 1 }, stop: { trained: 2, untrained: 1 }, bytes: 1 + 2 + 1 });
  });
});
