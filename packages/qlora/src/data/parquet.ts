// Rows of a parquet file, as Hugging Face's data sets have them: a batch at a time, from the process that reads the file. Node only.
import { type ChildProcess, fork } from "node:child_process";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { UsageError } from "../error.ts";
import type { JsonLine } from "./jsonl.ts";
import type { ParquetReply, ParquetRequest } from "./parquet-process.ts";

/** What the process may take. */
export interface ParquetLimits {
  readonly heapMb: number;
  /** How long it may be silent. */
  readonly silenceMs: number;
}

/** A row group of 500 MB, a million conversations, takes a minute; ten times that is given. A small file that is damaged may be read for ever. */
const limitsOf = (bytes: number): ParquetLimits => ({ heapMb: 3000, silenceMs: 30_000 + bytes / 1000 });
const READER = fileURLToPath(new URL("../../dist/data/parquet-process.js", import.meta.url));

/**
 * The rows in order, counted from 1.
 * @throws UsageError if the file cannot be read, is not parquet, or takes too much memory or time
 */
export async function* parquetRows(path: string, limits?: ParquetLimits): AsyncGenerator<JsonLine> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const reader = new ParquetReader(limits ?? limitsOf(bytes));
  try {
    yield* reader.rows(path);
  } finally {
    reader.close();
  }
}

/** The process, which reads one file after another; begun anew after one that ended it. */
export class ParquetReader {
  readonly #limits: ParquetLimits;
  #process: ChildProcess | undefined;

  constructor(limits: ParquetLimits) {
    this.#limits = limits;
  }

  /** @throws UsageError as `parquetRows` */
  async *rows(path: string): AsyncGenerator<JsonLine> {
    for (let request: ParquetRequest = { open: path }; ; request = "next") {
      const reply = await this.#ask(request, path);
      if (reply.kind === "end") return;
      if (reply.kind === "error") throw broken(path, reply.message);
      // what is no row is refused where rows are, with the keys that it has
      if (reply.kind === "columns") return yield { line: 1, value: Object.fromEntries(reply.names.map((name) => [name, null])) };
      for (const [i, row] of reply.rows.entries()) yield { line: reply.from + i + 1, value: JSON.parse(row) as unknown };
    }
  }

  close(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }

  #ask(request: ParquetRequest, path: string): Promise<ParquetReply> {
    const { heapMb, silenceMs } = this.#limits;
    this.#process ??= fork(READER, { execArgv: [`--max-old-space-size=${heapMb}`], stdio: ["ignore", "ignore", "ignore", "ipc"] });
    const reader = this.#process;
    return new Promise((resolve, reject) => {
      const failed = (cause: Error): void => {
        settle();
        this.close();
        reject(broken(path, cause.message, cause));
      };
      const ended = (code: number | null, signal: string | null): void =>
        failed(new Error(`it takes too much memory, or else the process that read it ended (${signal ?? code})`));
      const came = (reply: unknown): void => {
        settle();
        resolve(reply as ParquetReply);
      };
      const silent = setTimeout(() => failed(new Error(`nothing came for ${silenceMs / 1000} s`)), silenceMs);
      const settle = (): void => {
        clearTimeout(silent);
        reader.removeListener("error", failed).removeListener("exit", ended).removeListener("message", came);
      };
      reader.once("error", failed).once("exit", ended).once("message", came);
      reader.send(request, (error) => {
        if (error) failed(error);
      });
    });
  }
}

function broken(path: string, message: string, cause?: unknown): UsageError {
  const what = `cannot be read as parquet: ${message.replace(/^parquet /, "").replace(/\.$/, "")}. Write it again, or as .jsonl.`;
  return new UsageError(path, what, { path }, { cause });
}
