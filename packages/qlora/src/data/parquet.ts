// Rows of a parquet file, as Hugging Face's data sets have them: a batch at a time, from the thread that reads the file. Node only.
import { Worker } from "node:worker_threads";
import { UsageError } from "../error.ts";
import type { JsonLine } from "./jsonl.ts";
import type { ParquetReply } from "./parquet-worker.ts";

/** What the thread may take. */
export interface ParquetLimits {
  readonly heapMb: number;
  /** How long it may be silent. */
  readonly silenceMs: number;
}

/** A row group of a million conversations takes a minute. */
const LIMITS: ParquetLimits = { heapMb: 3000, silenceMs: 600_000 };

/**
 * The rows in order, counted from 1.
 * @throws UsageError if the file cannot be read, is not parquet, or takes too much memory or time
 */
export async function* parquetRows(path: string, { heapMb, silenceMs } = LIMITS): AsyncGenerator<JsonLine> {
  const worker = new Worker(new URL("../../dist/data/parquet-worker.js", import.meta.url), {
    workerData: path,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  try {
    for (;;) {
      const reply = await nextReply(worker, path, silenceMs);
      if (reply.kind === "end") return;
      if (reply.kind === "error") throw broken(path, reply.message);
      // what is no row is refused where rows are, with the keys that it has
      if (reply.kind === "columns") return yield { line: 1, value: Object.fromEntries(reply.names.map((name) => [name, null])) };
      for (const [i, row] of reply.rows.entries()) yield { line: reply.from + i + 1, value: JSON.parse(row) as unknown };
    }
  } finally {
    await worker.terminate();
  }
}

function nextReply(worker: Worker, path: string, silenceMs: number): Promise<ParquetReply> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => {
      settle();
      reject(broken(path, (cause as Error).message, cause));
    };
    const came = (reply: ParquetReply): void => {
      settle();
      resolve(reply);
    };
    const silent = setTimeout(() => failed(new Error(`nothing came for ${silenceMs / 1000} s`)), silenceMs);
    const settle = (): void => {
      clearTimeout(silent);
      worker.removeListener("error", failed);
      worker.removeListener("message", came);
    };
    worker.once("error", failed);
    worker.once("message", came);
    worker.postMessage("next");
  });
}

function broken(path: string, message: string, cause?: unknown): UsageError {
  const what = `cannot be read as parquet: ${message.replace(/^parquet /, "").replace(/\.$/, "")}. Write it again, or as .jsonl.`;
  return new UsageError(path, what, { path }, { cause });
}
