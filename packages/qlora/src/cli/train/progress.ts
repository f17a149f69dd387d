// How far a run is, worded: a line that overwrites itself, and about twenty lines that stay. A line's loss is the mean over all tokens since the line before.
import { stripVTControlCharacters } from "node:util";
import { showBytes } from "../../plan/byte-size.ts";
import type { TrainStep } from "../../train/train.ts";
import type { Output } from "../output.ts";
import { count, duration, rate } from "../wording.ts";

const LINES = 20;

/** Parts on one line: closer together, and then without the last ones, where there is not enough room. */
function fitting(parts: readonly string[], columns: number): string {
  const ways = [
    ["   ", parts.length],
    ["  ", parts.length],
    ["  ", parts.length - 1],
    ["  ", parts.length - 2],
  ] as const;
  const lines = ways.map(([gap, n]) => parts.slice(0, n).join(gap));
  return lines.find((line) => stripVTControlCharacters(line).length <= columns) ?? lines.at(-1)!;
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
  step(step: TrainStep, residentBytes: number): void {
    const since = this.#since;
    since.loss += step.loss * step.supervisedTokens;
    since.supervised += step.supervisedTokens;
    since.tokens += step.tokens;
    since.seconds += step.seconds;
    const text = this.#text(step, residentBytes);
    const stays = step.step % this.#every === 0 || step.step === this.steps;
    if (!stays) {
      this.output.status(text);
      return;
    }
    this.output.line(text);
    this.#lastLoss = since.loss / since.supervised;
    this.#since = { loss: 0, supervised: 0, tokens: 0, seconds: 0 };
  }

  #text({ step, learningRate, gradNorm }: TrainStep, residentBytes: number): string {
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
    ];
    return fitting(parts, this.output.columns - 1);
  }
}
