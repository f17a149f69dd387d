// Cells of text beside each other, each wrapped at words into the width of its column.

const GAP = 2;

/** Lines of a table of texts. @param widths of its columns; the rest of `columns` goes to those of width 0, shared evenly */
export function sideBySide(rows: readonly (readonly string[])[], widths: readonly number[], columns: number, indent = 2): string[] {
  const open = widths.filter((width) => width === 0).length;
  const left = columns - indent - GAP * (widths.length - 1) - widths.reduce((a, b) => a + b, 0);
  const sizes = widths.map((width) => width || Math.max(8, Math.floor(left / open)));
  return rows.flatMap((row) => {
    const cells = row.map((text, i) => wrap(text, sizes[i]!));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      (" ".repeat(indent) + cells.map((lines, i) => (lines[line] ?? "").padEnd(sizes[i]!)).join(" ".repeat(GAP))).trimEnd(),
    );
  });
}

/** Words into lines of at most this width; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [])) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
