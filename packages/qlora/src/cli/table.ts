// Columns of text for a terminal.

export interface TableOptions {
  /** Spaces before each line. */
  readonly indent?: number;
  /** Spaces between columns. */
  readonly gap?: number;
  /** Columns with text, which begins at the left, besides the first. */
  readonly text?: readonly number[];
}

/** Lines of cells: the first column to the left, others to the right unless they are text; each column as wide as its widest cell. */
export function tableLines(rows: readonly (readonly string[])[], { indent = 2, gap = 2, text = [] }: TableOptions = {}): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (content: string, i: number): string =>
    i === 0 || text.includes(i) ? content.padEnd(widths[i]!) : content.padStart(widths[i]!);
  return rows.map((row) => (" ".repeat(indent) + row.map(cell).join(" ".repeat(gap))).trimEnd());
}
