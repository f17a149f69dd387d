// The one place that prints. To a person: lines of text, and one status line that overwrites itself on a terminal. To a program (`--json`, or stdout is no
// terminal): one JSON object a line with the event's name, and nothing else. Callers say both things and do not ask which is wanted.
import pc from "picocolors";

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
    return this.#stream.columns ?? DEFAULT_COLUMNS;
  }

  /** For a program: one line. */
  event(name: string, fields: object = {}): void {
    if (this.json) this.#stream.write(`${JSON.stringify({ event: name, ...fields })}\n`);
  }

  /** For a person: a line that stays. */
  line(text = ""): void {
    this.write(`${text}\n`);
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
    this.#stream.write(CLEAR_LINE + text);
    this.#statusShown = true;
  }

  clearStatus(): void {
    if (this.#statusShown) this.#stream.write(CLEAR_LINE);
    this.#statusShown = false;
  }
}
