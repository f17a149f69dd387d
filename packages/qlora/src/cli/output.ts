// The one place that prints. To a person: lines of text, and one status line that overwrites itself on a terminal. To a program (`--json`, or stdout is no
// terminal): one JSON object a line with the event's name, and nothing else. Callers say both things and do not ask which is wanted.
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { factLines } from "./fact-lines.ts";

/** Where text goes; process.stdout is one. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface OutputOptions {
  /** True for events, false for text; undefined decides by the stream. */
  readonly json?: boolean | undefined;
  readonly stream?: OutputStream;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export type Colors = ReturnType<typeof pc.createColors>;

const CLEAR_LINE = "\r\u001b[K";
const DEFAULT_COLUMNS = 100;

export class Output {
  /** Whether events are wanted, not text. */
  readonly json: boolean;
  /** Whether text overwrites itself and may be coloured. */
  readonly terminal: boolean;
  readonly colors: Colors;
  readonly #stream: OutputStream;
  #statusShown = false;

  constructor({ json, stream = process.stdout, environment = process.env }: OutputOptions = {}) {
    this.#stream = stream;
    const isTerminal = stream.isTTY === true;
    this.json = json ?? !isTerminal;
    this.terminal = isTerminal && !this.json;
    const wanted = environment.FORCE_COLOR ? true : isTerminal && !environment.NO_COLOR && environment.TERM !== "dumb";
    this.colors = pc.createColors(wanted && !this.json);
  }

  /** Characters that fit on a line. */
  get columns(): number {
    return this.#stream.columns || DEFAULT_COLUMNS; // 0 where a terminal does not know its size
  }

  /** For a program: one line. */
  event(name: string, fields: object = {}): void {
    if (this.json) this.#stream.write(`${JSON.stringify({ event: name, ...fields })}\n`);
  }

  /** For a person: a line that stays. */
  line(text = ""): void {
    this.write(`${text}\n`);
  }

  /** For a person: what something is, as `name      this · that`; at a terminal on as many lines as it takes. */
  facts(name: string, text: string): void {
    for (const line of factLines(name, text, this.terminal ? this.columns : Number.POSITIVE_INFINITY)) this.line(line);
  }

  /** For a person: text as it comes, such as an answer token by token. */
  write(text: string): void {
    if (this.json) return;
    this.clearStatus();
    this.#stream.write(text);
  }

  /** For a person at a terminal: a line that the next one overwrites. */
  status(text: string): void {
    if (!this.terminal) return;
    // one that took two lines would leave the first behind
    const plain = stripVTControlCharacters(text);
    this.#stream.write(CLEAR_LINE + (plain.length < this.columns ? text : `${plain.slice(0, this.columns - 2)}…`));
    this.#statusShown = true;
  }

  clearStatus(): void {
    if (this.#statusShown) this.#stream.write(CLEAR_LINE);
    this.#statusShown = false;
  }
}
