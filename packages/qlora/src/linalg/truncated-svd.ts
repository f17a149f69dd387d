// The largest singular values of a weight matrix with their vectors: exactly, by the eigenvectors of its smaller Gram matrix in float64; or by a random
// projection and rounds of power iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4), as torch.svd_lowrank does.
import { normal, type RandomKey } from "@qlora-js/core";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** matrix ≈ uᵀ · diag(values) · v */
export interface TruncatedSvd {
  /** [rank, rows] */
  readonly u: Float64Array;
  readonly values: Float64Array;
  /** [rank, columns] */
  readonly v: Float64Array;
}

/** A matrix [rows, columns], row-major. */
export interface Matrix {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Exact to float64's rounding of the matrix' square: a singular value is lost below 1e-8 of the largest. About min(rows, columns)² · (max + 4 min) steps. */
export function exactSvd(matrix: Matrix, rank: number): TruncatedSvd {
  const { rows, columns } = matrix;
  const wide = rows <= columns;
  const n = Math.min(rows, columns);
  const count = Math.min(rank, n);
  const { values: squares, vectors } = symmetricEigen(gram(wide ? matrix : turned(matrix)), n);
  const values = Float64Array.from({ length: rank }, (_, i) => (i < count ? Math.sqrt(Math.max(0, squares[i]!)) : 0));
  const [own, other] = [new Float64Array(rank * n), new Float64Array(rank * Math.max(rows, columns))];
  own.set(vectors.subarray(0, count * n));
  // the other side: Mᵀ·u / σ, or M·v / σ
  const from = wide ? matrix : turned(matrix);
  const width = from.columns;
  for (let i = 0; i < count; i++) {
    if (!(values[i]! > 1e-8 * values[0]!)) continue;
    for (let row = 0; row < n; row++) {
      const factor = own[i * n + row]! / values[i]!;
      for (let j = 0, at = row * width; j < width; j++, at++) other[i * width + j]! += factor * from.values[at]!;
    }
  }
  return wide ? { u: own, values, v: other } : { u: other, values, v: own };
}

/** About rank · rows · columns · (4 rounds + 4) steps. */
export function randomizedSvd(matrix: Matrix, rank: number, rounds: number, key: RandomKey): TruncatedSvd {
  const { rows, columns } = matrix;
  const back = turned(matrix);
  const count = Math.min(rank, rows, columns);
  let basis = orthonormal(rowsTimes(matrix, Float64Array.from(normal(key, count * columns)), count), count, rows);
  for (let round = 0; round < rounds; round++) {
    const other = orthonormal(rowsTimes(back, basis, count), count, columns);
    basis = orthonormal(rowsTimes(matrix, other, count), count, rows);
  }
  // B = Q·M [count, columns] is small on one side
  const small = exactSvd({ values: rowsTimes(back, basis, count), rows: count, columns }, rank);
  const u = new Float64Array(rank * rows);
  for (let i = 0; i < count; i++)
    for (let k = 0; k < count; k++) {
      const factor = small.u[i * count + k]!;
      for (let row = 0; row < rows; row++) u[i * rows + row]! += factor * basis[k * rows + row]!;
    }
  return { u, values: small.values, v: small.v };
}

/** M·Mᵀ */
function gram({ values, rows, columns }: Matrix): Float64Array {
  const out = new Float64Array(rows * rows);
  const wide = Float64Array.from(values);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, a = i * columns, b = j * columns; k < columns; k++, a++, b++) sum += wide[a]! * wide[b]!;
      out[i * rows + j] = sum;
      out[j * rows + i] = sum;
    }
  return out;
}

function turned({ values, rows, columns }: Matrix): Matrix {
  const out = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]!;
  return { values: out, rows: columns, columns: rows };
}

/** Each row of x [count, columns] becomes M·x: [count, rows]. */
function rowsTimes({ values, rows, columns }: Matrix, x: Float64Array, count: number): Float64Array {
  const out = new Float64Array(count * rows);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let j = 0, a = row * columns, b = i * columns; j < columns; j++, a++, b++) sum += values[a]! * x[b]!;
      out[i * rows + row] = sum;
    }
  return out;
}

/** Rows made orthogonal and of length 1, each against all before it, twice, so that rounding leaves nothing. In place. */
function orthonormal(x: Float64Array, count: number, size: number): Float64Array {
  for (let i = 0; i < count; i++) {
    const row = x.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++)
      for (let k = 0; k < i; k++) {
        const before = x.subarray(k * size, (k + 1) * size);
        let dot = 0;
        for (let j = 0; j < size; j++) dot += row[j]! * before[j]!;
        for (let j = 0; j < size; j++) row[j]! -= dot * before[j]!;
      }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < size; j++) row[j] = length > 1e-300 ? row[j]! / length : 0;
  }
  return x;
}
