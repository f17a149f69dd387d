// Relative positions as T5 has them (Raffel et al. 2020, §2.1; `_relative_position_bucket` of transformers): near distances have a bucket each, far ones
// share buckets that widen with the logarithm of the distance.

export interface RelativePositions {
  readonly buckets: number;
  readonly maxDistance: number;
  /** Keys after the query have buckets too (the encoder). */
  readonly bothWays: boolean;
}

/** The bucket of a key that stands `distance` after its query (negative: before it). */
export function relativeBucket(distance: number, { buckets, maxDistance, bothWays }: RelativePositions): number {
  const count = bothWays ? buckets / 2 : buckets;
  const after = bothWays && distance > 0 ? count : 0;
  const away = bothWays ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(count / 2);
  if (away < exact) return after + away;
  const far = Math.fround(Math.fround(Math.log(Math.fround(away / exact))) / Math.fround(Math.log(maxDistance / exact))) * (count - exact);
  return after + Math.min(count - 1, exact + Math.trunc(Math.fround(far)));
}
