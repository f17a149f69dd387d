import pc from "picocolors";
import { expect, it } from "vitest";
import { lossCurve } from "./loss-curve.ts";

const plain = pc.createColors(false);
const falling = (n: number): number[] => Array.from({ length: n }, (_, i) => 4 - (3 * i) / n);

it.each([
  [3, 80],
  [60, 80],
  [500, 80],
  [500, 120],
])("draws %i losses within %i columns", (steps, columns) => {
  const lines = lossCurve(falling(steps), { columns, colors: plain });
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  expect(Number.parseFloat(lines[0]!)).toBeCloseTo(4, 1);
  expect(lines.at(-1)!.trim()).toMatch(new RegExp(`^step 1 +${steps}$`));
});

it("draws a single loss, and losses that do not change", () => {
  expect(() => lossCurve([1], { columns: 80, colors: plain })).not.toThrow();
  expect(lossCurve([2, 2, 2], { columns: 80, colors: plain }).join("")).toContain("2.00");
});

it("has colours only where there are colours", () => {
  expect(lossCurve(falling(9), { columns: 80, colors: plain }).join("")).not.toContain("\u001b");
  expect(lossCurve(falling(9), { columns: 80, colors: pc.createColors(true) }).join("")).toContain("\u001b[32m");
});
