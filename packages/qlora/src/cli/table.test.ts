import { expect, it } from "vitest";
import { tableLines } from "./table.ts";

it("makes columns as wide as their widest cell, numbers to the right, text to the left", () => {
  const rows = [
    ["a", "1", "x"],
    ["bbb", "22", "yy"],
  ];
  expect(tableLines(rows, { indent: 1, gap: 1, text: [2] })).toEqual([" a    1 x", " bbb 22 yy"]);
  expect(tableLines(rows)).toEqual(["  a     1   x", "  bbb  22  yy"]);
});

it("leaves no spaces at the ends of lines", () =>
  expect(
    tableLines([
      ["a", ""],
      ["b", "cc"],
    ]),
  ).toEqual(["  a", "  b  cc"]));
