// The log of a run on disk: metrics.jsonl for programs, metrics.csv for a table, one line a step and a line an evaluation. Lines are appended as they come;
// a run that goes on from a saved step first drops what came after it, so that no step is there twice. Node only.
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { storageError, writeFileSafely } from "../safe-write.ts";
import { METRICS_CSV, METRICS_JSONL } from "./run-folder.ts";

/** A line: the event's name, the step it belongs to, and its numbers. */
export interface Metric {
  readonly event: string;
  readonly step: number;
  readonly [name: string]: unknown;
}

/** Columns of the table; a line has those of its event. */
const COLUMNS = [
  "event",
  "step",
  "loss",
  "gradNorm",
  "learningRate",
  "supervisedTokens",
  "tokensPerSecond",
  "residentBytes",
  "perplexity",
  "bitsPerByte",
] as const;
const IN_TABLE: ReadonlySet<string> = new Set(["step", "eval"]);

export class MetricsLog {
  private constructor(
    readonly run: string,
    /** What was logged before, up to the step that is gone on from. */
    readonly before: readonly Metric[],
    readonly json: FileHandle,
    readonly csv: FileHandle,
  ) {}

  /**
   * Opens the log of a run for what comes after a step; 0 for a new run.
   * @throws StorageError if it cannot be written
   */
  static async open(run: string, afterStep: number): Promise<MetricsLog> {
    const [jsonPath, csvPath] = [join(run, METRICS_JSONL), join(run, METRICS_CSV)];
    const before = (await readMetrics(jsonPath)).filter(({ step }) => step <= afterStep);
    await writeFileSafely(jsonPath, before.map(jsonLine).join(""));
    await writeFileSafely(csvPath, `${COLUMNS.join(",")}\n${before.map(csvLine).join("")}`);
    try {
      return new MetricsLog(run, before, await open(jsonPath, "a"), await open(csvPath, "a"));
    } catch (cause) {
      throw storageError(jsonPath, cause);
    }
  }

  /** @throws StorageError if it cannot be written */
  async append(metric: Metric): Promise<void> {
    await this.#write(METRICS_JSONL, this.json, jsonLine(metric));
    await this.#write(METRICS_CSV, this.csv, csvLine(metric));
  }

  /** Sees to it that all lines are on the disk: before a step is saved that they lead up to. */
  async flush(): Promise<void> {
    try {
      await this.json.sync();
      await this.csv.sync();
    } catch (cause) {
      throw storageError(join(this.run, METRICS_JSONL), cause);
    }
  }

  async close(): Promise<void> {
    await this.json.close();
    await this.csv.close();
  }

  async #write(file: string, handle: FileHandle, line: string): Promise<void> {
    if (line === "") return;
    try {
      await handle.appendFile(line);
    } catch (cause) {
      throw storageError(join(this.run, file), cause);
    }
  }
}

/** The lines that are whole; the last may have been cut by a kill. None if there is no file. */
export async function readMetrics(path: string): Promise<Metric[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    try {
      const metric = JSON.parse(line) as Metric;
      return Number.isInteger(metric.step) ? [metric] : [];
    } catch {
      return [];
    }
  });
}

const jsonLine = (metric: Metric): string => `${JSON.stringify(metric)}\n`;

function csvLine(metric: Metric): string {
  if (!IN_TABLE.has(metric.event)) return "";
  const cells = COLUMNS.map((column) => metric[column]).map((value) =>
    value === undefined || value === null || Number.isNaN(value) ? "" : String(value),
  );
  return `${cells.join(",")}\n`;
}
