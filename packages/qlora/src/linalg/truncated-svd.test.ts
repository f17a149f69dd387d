import { key, normal } from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { symmetricEigen } from "./symmetric-eigen.ts";
import { exactSvd, type Matrix, randomizedSvd, type TruncatedSvd } from "./truncated-svd.ts";

const sizes = fc.record({ rows: fc.integer({ min: 1, max: 24 }), columns: fc.integer({ min: 1, max: 24 }), seed: fc.nat() });
const matrixOf = ({ rows, columns, seed }: { rows: number; columns: number; seed: number }): Matrix => ({
  values: normal(key(seed), rows * columns),
  rows,
  columns,
});

/** Σ σ·u·vᵀ */
function product({ u, values, v }: TruncatedSvd, { rows, columns }: Matrix): Float64Array {
  const out = new Float64Array(rows * columns);
  values.forEach((value, k) => {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) out[i * columns + j]! += value * u[k * rows + i]! * v[k * columns + j]!;
  });
  return out;
}
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.sqrt(Array.from(a, (x, i) => (x - b[i]!) ** 2).reduce((s, x) => s + x, 0));

test("eigenvectors are orthonormal, and turn the matrix into its eigenvalues", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (n, seed) => {
      const half = normal(key(seed), n * n);
      const symmetric = Float64Array.from({ length: n * n }, (_, i) => half[i]! + half[(i % n) * n + Math.floor(i / n)]!);
      const { values, vectors } = symmetricEigen(symmetric.slice(), n);
      for (let i = 0; i < n; i++) {
        if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!);
        for (let j = 0; j < n; j++) {
          let [dot, both] = [0, 0];
          for (let k = 0; k < n; k++) {
            dot += vectors[i * n + k]! * vectors[j * n + k]!;
            for (let l = 0; l < n; l++) both += vectors[i * n + k]! * symmetric[k * n + l]! * vectors[j * n + l]!;
          }
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-12);
          expect(Math.abs(both - (i === j ? values[i]! : 0))).toBeLessThan(1e-11 * n);
        }
      }
    }),
  );
});

test("with all ranks the matrix is had again, whichever side is longer", () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const matrix = matrixOf(given);
      const svd = exactSvd(matrix, Math.min(matrix.rows, matrix.columns));
      expect(distance(product(svd, matrix), matrix.values)).toBeLessThan(1e-6 * (1 + svd.values[0]!));
    }),
  );
});

test("what is left is as long as the singular values that were left out: no matrix of the rank is nearer (Eckart–Young)", () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 6 }), (given, rank) => {
      const matrix = matrixOf(given);
      const all = exactSvd(matrix, Math.min(matrix.rows, matrix.columns)).values;
      const left = Math.sqrt(all.slice(rank).reduce((s, x) => s + x * x, 0));
      expect(Math.abs(distance(product(exactSvd(matrix, rank), matrix), matrix.values) - left)).toBeLessThan(1e-6 * (1 + all[0]!));
    }),
  );
});

test("a rank above both sides is filled with zeros, and so is a matrix of zeros", () => {
  const svd = exactSvd(matrixOf({ rows: 2, columns: 3, seed: 1 }), 4);
  expect([...svd.values.slice(2), ...svd.u.slice(4), ...svd.v.slice(6)].every((x) => x === 0)).toBe(true);
  expect([...exactSvd({ values: new Float32Array(12), rows: 3, columns: 4 }, 2).values]).toEqual([0, 0]);
});

test("the random projection comes near the exact decomposition, nearer with rounds", () => {
  const [rows, columns, rank] = [60, 40, 4];
  const matrix = matrixOf({ rows, columns, seed: 3 });
  const best = distance(product(exactSvd(matrix, rank), matrix), matrix.values);
  const off = (rounds: number): number => distance(product(randomizedSvd(matrix, rank, rounds, key(5)), matrix), matrix.values) / best - 1;
  expect(off(16)).toBeLessThan(0.002);
  expect(off(16)).toBeGreaterThan(-1e-9);
  expect(off(1)).toBeGreaterThan(off(16));
});

test("a matrix with numbers that are not finite is refused", () => {
  expect(() => exactSvd({ values: Float32Array.of(1, Number.NaN), rows: 1, columns: 2 }, 1)).toThrow(RangeError);
});
