// Eigenvalues and eigenvectors of a real symmetric matrix, in float64 on the host: Householder reflections to a tridiagonal matrix, then QL steps with
// implicit shifts (Golub & Van Loan, Matrix Computations, §8.3). About 4 n³ operations; for the sides of weight matrices, up to some thousands.

export interface Eigen {
  /** Falling. */
  readonly values: Float64Array;
  /** [n, n], row i belongs to value i, of length 1. */
  readonly vectors: Float64Array;
}

/** QL steps for one eigenvalue; two or three are usual. */
const MOST_STEPS = 60;

/**
 * @param matrix [n, n] row-major, symmetric; it is overwritten
 * @throws RangeError if it holds numbers that are not finite
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  if (!matrix.every(Number.isFinite)) throw new RangeError("symmetricEigen: the matrix holds numbers that are not finite.");
  const { diagonal, beside, reflectors } = tridiagonal(matrix, n);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  implicitQl(diagonal, beside, vectors, n);
  for (let row = 0; row < n; row++) reflectBack(vectors.subarray(row * n, (row + 1) * n), reflectors, n);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!);
  const sorted = new Float64Array(n * n);
  order.forEach((from, to) => {
    sorted.set(vectors.subarray(from * n, (from + 1) * n), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors: sorted };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i stands between rows i and i + 1; the last is 0. */
  readonly beside: Float64Array;
  /** Unit vectors, row k zero up to its k-th element: A = H0·H1·…·T·…·H1·H0 with Hk = 1 − 2·v·vᵀ. */
  readonly reflectors: Float64Array;
}

function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const reflectors = new Float64Array(n * n);
  const [p, beside] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k + 2 < n; k++) {
    const v = reflectors.subarray(k * n, (k + 1) * n);
    beside[k] = reflector(a.subarray(k * n, (k + 1) * n), v, k + 1, n);
    // A ← H·A·H over the rows and columns that are left: w = A·v − (vᵀAv)·v, A −= 2·(v·wᵀ + w·vᵀ)
    let inner = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1, at = i * n + k + 1; j < n; j++, at++) sum += a[at]! * v[j]!;
      p[i] = sum;
      inner += sum * v[i]!;
    }
    for (let i = k + 1; i < n; i++) p[i]! -= inner * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const [vi, wi] = [2 * v[i]!, 2 * p[i]!];
      for (let j = k + 1, at = i * n + k + 1; j < n; j++, at++) a[at]! -= vi * p[j]! + wi * v[j]!;
    }
  }
  if (n > 1) beside[n - 2] = a[(n - 2) * n + n - 1]!;
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), beside, reflectors };
}

/** The unit vector whose reflection turns x[from…] into (result, 0, 0, …); zero where there is nothing to turn. */
function reflector(x: Float64Array, v: Float64Array, from: number, n: number): number {
  let rest = 0;
  for (let i = from + 1; i < n; i++) rest += x[i]! * x[i]!;
  const first = x[from]!;
  if (rest === 0) return first;
  const length = Math.sqrt(first * first + rest);
  const result = first > 0 ? -length : length;
  const head = first - result;
  const norm = Math.sqrt(head * head + rest);
  v[from] = head / norm;
  for (let i = from + 1; i < n; i++) v[i] = x[i]! / norm;
  return result;
}

/** x ← H0·H1·…·x, which makes an eigenvector of A of one of T. */
function reflectBack(x: Float64Array, reflectors: Float64Array, n: number): void {
  for (let k = n - 3; k >= 0; k--) {
    let dot = 0;
    for (let i = k + 1; i < n; i++) dot += reflectors[k * n + i]! * x[i]!;
    if (dot !== 0) for (let i = k + 1; i < n; i++) x[i]! -= 2 * dot * reflectors[k * n + i]!;
  }
}

/** Turns d into eigenvalues; rows of z take part in each rotation. */
function implicitQl(d: Float64Array, e: Float64Array, z: Float64Array, n: number): void {
  for (let low = 0; low < n; low++) {
    for (let step = 0; ; step++) {
      let end = low;
      while (end + 1 < n && Math.abs(e[end]!) > Number.EPSILON * (Math.abs(d[end]!) + Math.abs(d[end + 1]!))) end++;
      if (end === low) break;
      if (step === MOST_STEPS) throw new RangeError("symmetricEigen: an eigenvalue was not found.");
      qlStep(d, e, z, n, low, end);
    }
  }
}

function qlStep(d: Float64Array, e: Float64Array, z: Float64Array, n: number, low: number, end: number): void {
  const half = (d[low + 1]! - d[low]!) / (2 * e[low]!);
  const root = Math.hypot(half, 1);
  let g = d[end]! - d[low]! + e[low]! / (half + (half >= 0 ? root : -root));
  let [s, c, p] = [1, 1, 0];
  for (let i = end - 1; i >= low; i--) {
    const [f, b] = [s * e[i]!, c * e[i]!];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[end] = 0;
      return;
    }
    [s, c] = [f / r, g / r];
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    for (let k = 0, x = i * n, y = (i + 1) * n; k < n; k++, x++, y++) {
      const old = z[y]!;
      z[y] = s * z[x]! + c * old;
      z[x] = c * z[x]! - s * old;
    }
  }
  d[low]! -= p;
  e[low] = g;
  e[end] = 0;
}
