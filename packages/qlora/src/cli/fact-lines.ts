// A line such as `  memory    weights 54.8 MB · embeddings 56.8 MB` on as many lines as a terminal's width asks for, broken between facts and nowhere else:
// a command in it stays whole, to be copied.
import { stripVTControlCharacters } from "node:util";

const INDENT = 2;
const NAME_WIDTH = 10;
/** What stands between two facts; before a break only the dot stays. */
const BETWEEN = [" · ", "   |   "];

/** The lines; only the first has the name. A fact that is wider than a line stands on a line of its own. */
export function factLines(name: string, text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = `${" ".repeat(INDENT)}${name.padEnd(NAME_WIDTH)}`;
  let empty = true;
  for (const { fact, after } of factsOf(text)) {
    if (!empty && stripVTControlCharacters(line + fact + after.trimEnd()).length > columns) {
      lines.push(line.replace(/\s+\|?\s*$/, ""));
      line = " ".repeat(INDENT + NAME_WIDTH);
    }
    line += fact + after;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

function factsOf(text: string): { readonly fact: string; readonly after: string }[] {
  const parts = text.split(/( · | {3}\| {3})/);
  return parts.flatMap((fact, i) => (BETWEEN.includes(fact) ? [] : [{ fact, after: parts[i + 1] ?? "" }]));
}
