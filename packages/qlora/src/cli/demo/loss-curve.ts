// The loss of each step as a curve of characters.
import asciichart from "asciichart";
import type { Output } from "../output.ts";

const HEIGHT = 8;
/** Columns of the numbers at the left. */
const AXIS = 12;

/** Lines of the curve, as wide as the output; where there are more steps than columns, a column is a mean. */
export function lossCurve(losses: readonly number[], { columns, colors }: Pick<Output, "columns" | "colors">): string[] {
  const width = Math.max(10, Math.min(losses.length, columns - AXIS - 2));
  const series = Array.from({ length: width }, (_, i) =>
    mean(losses.slice(share(i, width), Math.max(share(i, width) + 1, share(i + 1, width)))),
  );
  const format = (value: number): string => value.toFixed(2).padStart(AXIS - 3);
  const plotted = asciichart.plot(series, { height: HEIGHT, format, ...(colors.isColorSupported ? { colors: [asciichart.green] } : {}) });
  const [first, last] = ["step 1", String(losses.length)];
  const legend = " ".repeat(AXIS - 1) + first + last.padStart(Math.max(last.length + 1, width - first.length));
  return [...plotted.split("\n").map((line) => line.trimEnd()), colors.dim(legend)];

  function share(i: number, of: number): number {
    return Math.min(losses.length - 1, Math.floor((i * losses.length) / of));
  }
}

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
