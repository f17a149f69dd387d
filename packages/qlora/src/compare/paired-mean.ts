// A mean over windows of text with how far it may be off. Windows are the units: tokens of one window are not independent of each other.

export interface MeanWithInterval {
  readonly mean: number;
  /** Half the width of the 95 % interval: 1.96 standard errors. Not a number for a single window. */
  readonly halfWidth: number;
}

/** The mean of values weighted by their windows' tokens, and its interval (ratio estimator; Cochran, Sampling Techniques, §6.4). */
export function pairedMean(values: readonly number[], weights: readonly number[]): MeanWithInterval {
  const all = weights.reduce((a, b) => a + b, 0);
  const mean = values.reduce((total, value, i) => total + value * weights[i]!, 0) / all;
  const n = values.length;
  const spread = values.reduce((total, value, i) => total + (weights[i]! * (value - mean)) ** 2, 0);
  const halfWidth = n < 2 ? Number.NaN : (1.96 * Math.sqrt((spread * n) / (n - 1))) / all;
  return { mean, halfWidth };
}
