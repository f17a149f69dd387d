// What properties draw from: shapes with their edges (0, 1, odd), and values as a function of a seed, so that no two are equal by chance and a failure
// is repeated by its seed.
import { type DType, key, normal, type Shape, sizeOf, uniform } from "@qlora-js/core";
import fc from "fast-check";
import { input, type Value } from "./value.ts";

/** Properties run with one seed, so that a run can be repeated; FC_SEED and FC_RUNS try others. */
export const PROPERTY = { seed: Number(process.env.FC_SEED ?? 20230523), numRuns: Number(process.env.FC_RUNS ?? 8) };

/** Fails with the smallest drawn value for which the body does. */
export const holds = <T>(drawn: fc.Arbitrary<T>, body: (x: T) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(drawn, body), PROPERTY);

export const sizes = (max = 9, min = 0): fc.Arbitrary<number> => fc.integer({ min, max });

export interface ShapeRange {
  readonly minRank?: number;
  readonly maxRank?: number;
  readonly minSize?: number;
  readonly maxSize?: number;
}

export const shapes = ({ minRank = 0, maxRank = 4, minSize = 0, maxSize = 5 }: ShapeRange = {}): fc.Arbitrary<Shape> =>
  fc.array(sizes(maxSize, minSize), { minLength: minRank, maxLength: maxRank });

/** Shapes that broadcast together: parts of one, with some sizes 1 and some leading axes gone. */
export const broadcastable = (count: number, range: ShapeRange = {}): fc.Arbitrary<Shape[]> =>
  shapes(range).chain((whole) =>
    fc.array(
      fc
        .tuple(fc.nat(whole.length), fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length }))
        .map(([lead, ones]) => whole.map((size, d) => (ones[d] ? 1 : size)).slice(lead)),
      { minLength: count, maxLength: count },
    ),
  );

export interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly dtype?: DType;
}

/** Values uniform in [low, high). */
export const within = (shape: Shape, { low = -2, high = 2, dtype = "f32" }: Range = {}): fc.Arbitrary<Value> =>
  seeds.map((seed) => input(uniform(key(seed), sizeOf(shape), low, high), shape, dtype));

/** Values of the normal distribution. */
export const normals = (shape: Shape, deviation = 1, dtype: DType = "f32"): fc.Arbitrary<Value> =>
  seeds.map((seed) => input(normal(key(seed), sizeOf(shape), deviation), shape, dtype));

/** i32 from 0 to below − 1; none fit if below is 0, so the shape must be empty then. */
export const ids = (shape: Shape, below: number): fc.Arbitrary<Value> =>
  seeds.map((seed) =>
    input(
      Array.from(uniform(key(seed), sizeOf(shape)), (u) => Math.floor(u * below)),
      shape,
      "i32",
    ),
  );

export const seeds: fc.Arbitrary<number> = fc.nat();
