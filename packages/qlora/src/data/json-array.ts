// A file with one JSON list of rows, read row by row from a stream of text without holding more than one: where a row ends is told by its brackets, and what
// it is by the parser that is there. Each row keeps the number of the line it begins in.
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { type JsonLine, LONGEST_LINE } from "./jsonl.ts";

/** What the splitter stands on. */
type State = "before" | "row" | "between" | "after";

/**
 * The values of a list that arrives in chunks.
 * @param file Name for errors.
 * @throws UsageError with the line of what is not JSON, of a row that is too long, or of what stands where no row can.
 */
export async function* jsonArray(chunks: AsyncIterable<string> | Iterable<string>, file: string): AsyncGenerator<JsonLine> {
  const splitter = new RowSplitter(file);
  for await (const chunk of chunks) yield* splitter.push(chunk);
  splitter.end();
}

class RowSplitter {
  #state: State = "before";
  #line = 1;
  #rowLine = 1;
  #row = "";
  #depth = 0;
  #inText = false;
  #escaped = false;
  #afterComma = false;

  constructor(readonly file: string) {}

  *push(chunk: string): Generator<JsonLine> {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i]!;
      if (this.#state === "row") {
        if (this.#endsBefore(c)) {
          yield this.#finish(chunk.slice(from, i));
          this.#outside(c);
        } else this.#inside(c);
      } else if (this.#outside(c)) from = i;
      if (c === "\n") this.#line++;
    }
    if (this.#state === "row") this.#row += chunk.slice(from);
    if (this.#row.length > LONGEST_LINE) throw this.#error(this.#rowLine, `begins a row longer than ${LONGEST_LINE} characters`);
  }

  end(): void {
    if (this.#state !== "after") throw this.#error(this.#line, "is the last, and the list is not closed. The file is cut short");
  }

  /** Whether the row is over when this character comes. */
  #endsBefore = (c: string): boolean => !this.#inText && this.#depth === 0 && (c === "," || c === "]");

  #inside(c: string): void {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (c === "\\") this.#escaped = true;
      else if (c === '"') this.#inText = false;
    } else if (c === '"') this.#inText = true;
    else if (c === "{" || c === "[") this.#depth++;
    else if (c === "}" || c === "]") this.#depth--;
  }

  /** True if a row begins with this character. */
  #outside(c: string): boolean {
    if (/[\s\uFEFF]/.test(c)) return false;
    if (this.#state === "before" && c === "[") this.#state = "between";
    else if (c === "]" && !this.#afterComma && (this.#state === "between" || this.#state === "row")) this.#state = "after";
    else if (c === "," && this.#state === "row") [this.#state, this.#afterComma] = ["between", true];
    else if (this.#state === "between" && c !== "," && c !== "]") {
      [this.#state, this.#row, this.#rowLine, this.#afterComma] = ["row", "", this.#line, false];
      this.#inside(c);
      return true;
    } else throw this.#error(this.#line, `has ${quoted(c)} where ${this.#state === "after" ? "the list is over" : "none can be"}`);
    return false;
  }

  #finish(rest: string): JsonLine {
    const text = this.#row + rest;
    try {
      return { line: this.#rowLine, value: JSON.parse(text) };
    } catch (cause) {
      throw this.#error(this.#rowLine, `begins a row that is not JSON: ${quoted(text.slice(0, 60))}`, { cause });
    }
  }

  #error(line: number, what: string, options?: ErrorOptions): UsageError {
    return new UsageError(`${this.file} line ${line}`, `${what}.`, { file: this.file, line }, options);
  }
}
