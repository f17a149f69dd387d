// A download as it is told: what comes and whether there is room, how far it is at what rate, and what it took. Nothing where all is in the cache.
import type { DownloadListener, DownloadPlan } from "../hub/snapshot.ts";
import { showBytes } from "../plan/byte-size.ts";
import type { Output } from "./output.ts";
import { duration, plural } from "./wording.ts";

/** A status line is written at most so often. */
const STATUS_MS = 200;
/** So often a line that stays, or an event, where there is no status line. */
const LINE_MS = 5000;
/** A rate is of the time since so long ago. */
const RATE_MS = 5000;

export class DownloadProgress implements DownloadListener {
  #plan: DownloadPlan | undefined;
  #done = 0;
  #start = 0;
  #shown = 0;
  #said = 0;
  /** Bytes done at times of the last seconds. */
  #marks: { readonly at: number; readonly done: number }[] = [];

  constructor(
    readonly output: Output,
    readonly now: () => number = () => performance.now(),
  ) {}

  readonly onPlan = (plan: DownloadPlan): void => {
    this.#plan = plan;
    this.#start = this.#shown = this.#said = this.now();
    this.#done = 0;
    this.#marks = [{ at: this.#start, done: 0 }];
    const { repository, commit, files, bytes, freeBytes, cache } = plan;
    const what = `${repository} at ${commit.slice(0, 12)} · ${plural(files.length, "file")} · ${showBytes(bytes)} to come`;
    this.output.facts("download", `${what} · ${showBytes(freeBytes)} free in ${cache}`);
    this.output.event("download", { repository, commit, files: files.map(({ path, size }) => ({ path, size })), bytes, freeBytes, cache });
  };

  readonly onBytes = (bytes: number): void => {
    this.#done += bytes;
    const now = this.now();
    if (now - this.#shown < STATUS_MS) return;
    this.#shown = now;
    this.#marks.push({ at: now, done: this.#done });
    while (this.#marks.length > 2 && now - this.#marks[0]!.at > RATE_MS) this.#marks.shift();
    this.#tell(now);
  };

  readonly onNote = (text: string): void => {
    this.output.line(`  ${"hub".padEnd(9)} ${text}`);
    this.output.event("note", { text });
  };

  readonly onDone = (): void => {
    const seconds = (this.now() - this.#start) / 1000;
    const bytes = this.#plan!.bytes;
    this.output.clearStatus();
    this.output.facts("download", `done in ${duration(seconds)}${seconds >= 1 ? ` · ${showBytes(bytes / seconds)}/s` : ""}`);
    this.output.event("downloaded", { repository: this.#plan!.repository, commit: this.#plan!.commit, bytes, seconds });
  };

  #tell(now: number): void {
    const { bytes: total, repository } = this.#plan!;
    const done = Math.min(total, Math.max(0, this.#done));
    const first = this.#marks[0]!;
    const rate = Math.max(0, (this.#done - first.done) / ((now - first.at) / 1000));
    const left = rate > 0 ? (total - done) / rate : undefined;
    const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
    const time = left === undefined ? "" : ` · ${duration(left)} left`;
    const text = `  download  ${percent} % · ${showBytes(done)} of ${showBytes(total)} · ${showBytes(rate)}/s${time}`;
    this.output.status(text);
    if (now - this.#said < LINE_MS) return;
    this.#said = now;
    if (!this.output.terminal) this.output.line(text);
    this.output.event("downloading", { repository, done, total, bytesPerSecond: Math.round(rate) });
  }
}
