// How far a run is, worded: a line that overwrites itself, and about twenty lines that stay. A line's loss is the mean over all tokens since the line before.
import { stripVTControlCharacters } from "node:util";
import type { PagerCounters } from "@qlora-js/core";
import { showBytes } from "../../plan/byte-size.ts";
import type { TrainStep } from "../../train/train.ts";
import type { Output } from "../output.ts";
import { count, duration, plural, rate } from "../wording.ts";

const LINES = 20;

/** Parts on one line: closer together, and then without the last ones, where there is not enough room. */
function fitting(parts: readonly string[], columns: number): string {
  const ways = [
    ["   ", parts.length],
    ["  ", parts.length],
    ["  ", parts.length - 1],
    ["  ", parts.length - 2],
    ["  ", parts.length - 3],
  ] as const;
  const lines = ways.map(([gap, n]) => parts.slice(0, n).join(gap));
  return lines.find((line) => stripVTControlCharacters(line).length <= columns) ?? lines.at(-1)!;
}

/** What pagers of moments and of weights have moved since the run began; nothing of one that moved nothing. */
function paging(pagers: Readonly<Record<string, PagerCounters | undefined>>): string[] {
  const moved = Object.entries(pagers).flatMap(([name, counters]) => {
    if (!counters || counters.bytesIn + counters.bytesOut === 0) return [];
    const { hits, faults, bytesIn, bytesOut } = counters;
    const out = bytesOut === 0 ? [] : [`${showBytes(bytesOut)} out`];
    return [`${name} ${[plural(hits, "hit"), plural(faults, "fault"), `${showBytes(bytesIn)} in`, ...out].join(" · ")}`];
  });
  return moved.length === 0 ? [] : [moved.join("   ")];
}

export class Progress {
  readonly #every: number;
  readonly #start = performance.now();
  #since = { loss: 0, supervised: 0, tokens: 0, seconds: 0 };
  #lastLoss: number | undefined;

  constructor(
    readonly output: Output,
    readonly steps: number,
    /** Steps done before. */
    readonly from: number,
  ) {
    this.#every = Math.max(1, Math.ceil((steps - from) / LINES));
  }

  /** Shows a step that is done. */
  step(step: TrainStep, residentBytes: number, weights?: PagerCounters): void {
    const since = this.#since;
    since.loss += step.loss * step.supervisedTokens;
    since.supervised += step.supervisedTokens;
    since.tokens += step.tokens;
    since.seconds += step.seconds;
    const text = this.#text(step, residentBytes, weights);
    const stays = step.step % this.#every === 0 || step.step === this.steps;
    if (!stays) {
      this.output.status(text);
      return;
    }
    this.output.line(text);
    this.#lastLoss = since.loss / since.supervised;
    this.#since = { loss: 0, supervised: 0, tokens: 0, seconds: 0 };
  }

  #text({ step, learningRate, gradNorm, pager }: TrainStep, residentBytes: number, weights: PagerCounters | undefined): string {
    const { loss, supervised, tokens, seconds } = this.#since;
    const mean = loss / supervised;
    const { colors } = this.output;
    const trend = this.#lastLoss === undefined ? " " : mean > this.#lastLoss ? colors.yellow("▲") : colors.green("▼");
    const width = String(this.steps).length;
    const eta = ((performance.now() - this.#start) / 1000 / (step - this.from)) * (this.steps - step);
    const parts = [
      `  ${String(step).padStart(width)}/${this.steps}`,
      `loss ${mean.toFixed(4)} ${trend}`,
      `lr ${rate(learningRate)}`,
      `|g| ${gradNorm.toPrecision(3)}`,
      `${count(tokens / seconds)} tok/s`,
      `eta ${duration(eta)}`,
      showBytes(residentBytes),
      ...paging({ pager, weights }),
    ];
    return fitting(parts, this.output.terminal ? this.output.columns - 1 : Number.POSITIVE_INFINITY);
  }
}
