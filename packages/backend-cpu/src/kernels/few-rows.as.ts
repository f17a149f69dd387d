// C = from + A·Bᵀ for one or two rows of A, B stored [n, k]: what generating a token is made of. Nothing is packed, B is read once.
// An output is one sum of products over k, in lanes; the order does not depend on the task it is in.
import { BF16, F16, F32, Product, Quantized } from "./gemm/product.as";
import { loadBf16, loadF16 } from "./simd/half.as";

/** Outputs of a task. */
const STRIP: usize = 16;

/** For each byte the values of its two codes, f32: the lookup of a pair is one load. pairTable fills it before each product. */
const PAIRS: usize = memory.data(2048, 16);

/** Fills PAIRS from a code book; a byte's first code is its high half. */
export function pairTable(codeBook: usize): void {
  for (let byte: usize = 0; byte < 256; byte++) {
    store<f32>(PAIRS + (byte << 3), load<f32>(codeBook + (byte >> 4 << 2)));
    store<f32>(PAIRS + (byte << 3), load<f32>(codeBook + ((byte & 15) << 2)), 4);
  }
}

@inline
function sum(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

@inline
function put(product: Product, i: usize, j: usize, value: f32): void {
  if (product.from != 0) value = load<f32>(product.from + i * product.fromRow + (j << 2)) + value;
  store<f32>(product.c + i * product.cRow + (j << 2), value);
}

/** Outputs j … j + 3, each the sum of a vector's lanes in the order of sum(). */
@inline
function putFour(product: Product, i: usize, j: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const ba = v128.shuffle<u32>(a, b, 2, 6, 3, 7), dc = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  const left = f32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
  let value = f32x4.add(left, f32x4.add(v128.shuffle<u64>(ba, dc, 0, 2), v128.shuffle<u64>(ba, dc, 1, 3)));
  if (product.from != 0) value = f32x4.add(v128.load(product.from + i * product.fromRow + (j << 2)), value);
  v128.store(product.c + i * product.cRow + (j << 2), value);
}

/** The four values of bytes 0 and 1 at p, or 2 and 3. */
@inline
function four0(p: usize): v128 {
  return v128.load64_lane(<usize>load<u8>(p, 1) << 3, v128.load64_zero(<usize>load<u8>(p) << 3, PAIRS), 1, PAIRS);
}
@inline
function four2(p: usize): v128 {
  return v128.load64_lane(<usize>load<u8>(p, 3) << 3, v128.load64_zero(<usize>load<u8>(p, 2) << 3, PAIRS), 1, PAIRS);
}

/** Outputs j … j + 3 of a 4-bit weight, whose codes begin at p. Weights of a run are summed, and the sum times its scale is added to the output. */
function quadQ4(product: Product, p: usize, scales: usize, runs: usize, run: usize, i: usize, j: usize): void {
  const row = product.k >> 1, next = runs << 2;
  let x = product.a + i * product.aRow, q = p + row, r = q + row, s = r + row;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (const end = x + (product.k << 2); x != end; scales += 4) {
    let e = f32x4.splat(0), f = e, g = e, h = e;
    const stop = x + run;
    do {
      let v = v128.load(x);
      e = f32x4.add(e, f32x4.mul(four0(p), v)), f = f32x4.add(f, f32x4.mul(four0(q), v));
      g = f32x4.add(g, f32x4.mul(four0(r), v)), h = f32x4.add(h, f32x4.mul(four0(s), v));
      v = v128.load(x, 16);
      e = f32x4.add(e, f32x4.mul(four2(p), v)), f = f32x4.add(f, f32x4.mul(four2(q), v));
      g = f32x4.add(g, f32x4.mul(four2(r), v)), h = f32x4.add(h, f32x4.mul(four2(s), v));
      x += 32, p += 4, q += 4, r += 4, s += 4;
    } while (x != stop);
    a = f32x4.add(a, f32x4.mul(e, v128.load_splat<f32>(scales))), b = f32x4.add(b, f32x4.mul(f, v128.load_splat<f32>(scales + next)));
    c = f32x4.add(c, f32x4.mul(g, v128.load_splat<f32>(scales + 2 * next))), d = f32x4.add(d, f32x4.mul(h, v128.load_splat<f32>(scales + 3 * next)));
  }
  putFour(product, i, j, a, b, c, d);
}

/** Output j, its terms in quadQ4's order. */
function singleQ4(product: Product, p: usize, scales: usize, run: usize, i: usize, j: usize): void {
  let x = product.a + i * product.aRow, a = f32x4.splat(0);
  for (const end = x + (product.k << 2); x != end; scales += 4) {
    let e = f32x4.splat(0);
    for (const stop = x + run; x != stop; x += 32, p += 4) {
      e = f32x4.add(e, f32x4.mul(four0(p), v128.load(x)));
      e = f32x4.add(e, f32x4.mul(four2(p), v128.load(x, 16)));
    }
    a = f32x4.add(a, f32x4.mul(e, v128.load_splat<f32>(scales)));
  }
  put(product, i, j, sum(a));
}

/**
 * Tasks are strips of 16 outputs. k is a multiple of 32, so runs of 64 weights, or 32, lie in one block each; the scales of a strip's runs are written
 * to scratch first.
 */
export function fewRowsQ4(product: Product, first: usize, end: usize, scratch: usize): void {
  const w = changetype<Quantized>(product.b), k = product.k, n = product.n, shift: usize = (k & 63) == 0 && w.blockShift >= 6 ? 6 : 5, runs = k >> shift;
  const codes = w.codes, scales = scratch + GROUP_BYTES;
  let group: usize = -1;
  for (let strip = first; strip < end; strip++) {
    const top = strip * STRIP, last = min<usize>(top + STRIP, n);
    group = scalesOfRuns(w, scratch, group, scales, (top * k) >> shift, (last - top) * runs, shift);
    for (let i: usize = 0; i < product.m; i++) {
      let j = top;
      for (; j + 4 <= last; j += 4) quadQ4(product, codes + (j * k >> 1), scales + (((j - top) * runs) << 2), runs, 4 << shift, i, j);
      for (; j < last; j++) singleQ4(product, codes + (j * k >> 1), scales + (((j - top) * runs) << 2), 4 << shift, i, j);
    }
  }
}

/** The 256 scales that the blocks of a group of 256 can have. */
const GROUP_BYTES: usize = 1024;

/** The scales of runs first … first + count of 2^shift weights. `table` holds the scales of group `group`; returns the group it holds now. */
function scalesOfRuns(w: Quantized, table: usize, group: usize, to: usize, first: usize, count: usize, shift: usize): usize {
  const scales = w.scales, down = <usize>w.blockShift - shift, last = first + count;
  if (w.map == 0) {
    for (let run = first; run < last; run++, to += 4) store<f32>(to, load<f32>(scales + (run >> down << 2)));
    return group;
  }
  for (let run = first; run < last; ) {
    if (run >> (down + 8) != group) fillGroup(w, table, (group = run >> (down + 8)));
    for (const stop = min<usize>(last, (group + 1) << (down + 8)); run < stop; run++, to += 4)
      store<f32>(to, load<f32>(table + (<usize>load<u8>(scales + (run >> down)) << 2)));
  }
  return group;
}

/** map[code] · absmax2 + offset for every code, rounded after each of the two. */
function fillGroup(w: Quantized, table: usize, group: usize): void {
  const factor = v128.load_splat<f32>(w.scales2 + (group << 2)), offset = v128.load_splat<f32>(w.offset);
  for (let p: usize = 0; p < GROUP_BYTES; p += 16) v128.store(table + p, f32x4.add(f32x4.mul(v128.load(w.map + p), factor), offset));
}

@inline
function load4(storage: u32, p: usize): v128 {
  if (storage == F32) return v128.load(p);
  if (storage == BF16) return loadBf16(p);
  return loadF16(p);
}

/** Output j of a weight of floats, 8 terms at a time. B is read in the order it lies: four rows at once are three times slower from main memory. */
@inline
function single(storage: u32, shift: usize, product: Product, i: usize, j: usize): void {
  const eights = product.a + i * product.aRow + ((product.k & ~7) << 2), end = product.a + i * product.aRow + (product.k << 2);
  let x = product.a + i * product.aRow, p = product.b + (j * product.k << shift), a = f32x4.splat(0), b = a;
  for (; x != eights; x += 32, p += 8 << shift) {
    a = f32x4.add(a, f32x4.mul(load4(storage, p), v128.load(x)));
    b = f32x4.add(b, f32x4.mul(load4(storage, p + (4 << shift)), v128.load(x, 16)));
  }
  if (x != end) a = f32x4.add(a, f32x4.mul(load4(storage, p), v128.load(x)));
  put(product, i, j, sum(f32x4.add(a, b)));
}

@inline
function fewRows(storage: u32, shift: usize, product: Product, first: usize, end: usize): void {
  for (let j = first * STRIP; j < min<usize>(end * STRIP, product.n); j++)
    for (let i: usize = 0; i < product.m; i++) single(storage, shift, product, i, j);
}

/** Tasks are strips of 16 outputs. k is a multiple of 4. */
export function fewRowsF32(product: Product, first: usize, end: usize, scratch: usize): void {
  fewRows(F32, 2, product, first, end);
}
export function fewRowsBf16(product: Product, first: usize, end: usize, scratch: usize): void {
  fewRows(BF16, 1, product, first, end);
}
export function fewRowsF16(product: Product, first: usize, end: usize, scratch: usize): void {
  fewRows(F16, 1, product, first, end);
}
