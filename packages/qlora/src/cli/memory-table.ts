// Memory by component as a table: a line each, a column a forecast; beside it what was measured, where something was.
import { showBytes } from "../plan/byte-size.ts";
import { type Component, sumOf } from "../plan/component.ts";
import type { Forecast } from "../plan/forecast.ts";
import { tableLines } from "./table.ts";

export interface MemoryColumn {
  readonly title: string;
  readonly forecast: Forecast;
}

const LINES: readonly (readonly [string, readonly Component[]])[] = [
  ["linear weights", ["weights"]],
  ["their scales", ["scales"]],
  ["embeddings, head", ["embeddings"]],
  ["norms, biases", ["norms"]],
  ["LoRA A and B", ["adapter"]],
  ["gradients", ["gradients"]],
  ["optimizer", ["optimizer"]],
  ["activations kept", ["activations"]],
  ["loss and its gradient", ["head"]],
  ["working space", ["transient"]],
];

const shown = (bytes: number): string => (bytes === 0 ? "–" : bytes < 0 ? `−${showBytes(-bytes)}` : showBytes(bytes));

/** A line a component, each at its largest, and what to take off because they are not all there at one time. Lines of zeros are left out. */
function componentRows(columns: readonly MemoryColumn[]): string[][] {
  const rows = LINES.map(([name, parts]) => [
    name,
    ...columns.map(({ forecast: { largest } }) => shown(parts.reduce((n, part) => n + largest[part], 0))),
  ]);
  const apart = ["not at one time", ...columns.map(({ forecast: f }) => shown(f.deviceBytes - sumOf(f.largest)))];
  return [
    ["memory", ...columns.map(({ title }) => title)],
    ...[...rows, apart].filter(([, ...cells]) => cells.some((cell) => cell !== "–")),
  ];
}

/** What a process takes by each forecast, and which of these sizes (in GiB, as memory is sold) it fits in, up to the first that is enough for all. */
export function planTable(columns: readonly MemoryColumn[], sizes: readonly number[]): string[] {
  const row = (name: string, cell: (forecast: Forecast) => string): string[] => [name, ...columns.map(({ forecast }) => cell(forecast))];
  const within = (size: number, { totalBytes }: Forecast): boolean => totalBytes <= size * 2 ** 30;
  const enough = sizes.findIndex((size) => columns.every(({ forecast }) => within(size, forecast)));
  const paged = columns.some(({ forecast }) => forecast.pagedBytes > 0);
  return tableLines([
    ...componentRows(columns),
    ...(paged ? [row("optimizer, paged out", (f) => shown(f.pagedBytes))] : []),
    row("program", (f) => showBytes(f.runtimeBytes)),
    row("total", (f) => showBytes(f.totalBytes)),
    ...sizes
      .slice(0, enough < 0 ? sizes.length : enough + 1)
      .map((size) => row(`fits in ${String(size).padStart(2)} GB`, (f) => (within(size, f) ? "yes" : "no"))),
  ]);
}

/** What the backend holds by each forecast, and what it held. */
export function measuredTable(columns: readonly (MemoryColumn & { readonly measuredBytes: number })[]): string[] {
  return tableLines([
    ...componentRows(columns),
    ["predicted", ...columns.map(({ forecast }) => showBytes(forecast.deviceBytes))],
    ["measured", ...columns.map(({ measuredBytes }) => showBytes(measuredBytes))],
  ]);
}
