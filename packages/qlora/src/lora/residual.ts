// An adapter that began with a part of the weights themselves (PiSSA): what was taken off the base, s·B0·A0, is stored with it as further ranks of opposite
// sign, so that the file is plain LoRA over the untouched base. PEFT's `path_initial_model_for_weight_conversion` writes the same.
import type { LoraSettings } from "../formats/peft-config.ts";

/** A [rank, in] and B [out, rank], row-major. */
export interface Matrices {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** Settings of the file: twice the ranks, the same scales. */
export const doubled = (settings: LoraSettings): LoraSettings => withRanks(settings, 2);

/** Settings of what is trained, from those of the file. */
export const halved = (settings: LoraSettings): LoraSettings => withRanks(settings, 1 / 2);

function withRanks(settings: LoraSettings, factor: number): LoraSettings {
  // alpha / √rank keeps its value if alpha grows by the root; the digits that the root's rounding adds go again
  const alphaFactor = settings.useRslora ? Math.sqrt(factor) : factor;
  const alpha = (x: number): number => Number((x * alphaFactor).toPrecision(12));
  return {
    ...settings,
    rank: settings.rank * factor,
    alpha: alpha(settings.alpha),
    rankPattern: settings.rankPattern.map(([pattern, rank]) => [pattern, rank * factor] as const),
    alphaPattern: settings.alphaPattern.map(([pattern, value]) => [pattern, alpha(value)] as const),
  };
}

/** [A; A0] and [B, −B0] */
export function joinResidual(trained: Matrices, start: Matrices, rank: number): Matrices {
  const a = new Float32Array(2 * trained.a.length);
  a.set(trained.a);
  a.set(start.a, trained.a.length);
  const b = new Float32Array(2 * trained.b.length);
  for (let row = 0; row < trained.b.length / rank; row++) {
    b.set(trained.b.subarray(row * rank, (row + 1) * rank), 2 * row * rank);
    for (let k = 0; k < rank; k++) b[(2 * row + 1) * rank + k] = -start.b[row * rank + k]!;
  }
  return { a, b };
}

/** What joinResidual joined. @param rank of each half */
export function splitResidual({ a, b }: Matrices, rank: number): { trained: Matrices; start: Matrices } {
  const rows = b.length / (2 * rank);
  const [own, first] = [new Float32Array(rows * rank), new Float32Array(rows * rank)];
  for (let row = 0; row < rows; row++) {
    own.set(b.subarray(2 * row * rank, (2 * row + 1) * rank), row * rank);
    for (let k = 0; k < rank; k++) first[row * rank + k] = -b[(2 * row + 1) * rank + k]!;
  }
  return { trained: { a: a.slice(0, a.length / 2), b: own }, start: { a: a.slice(a.length / 2), b: first } };
}
