// Attention's programs for real GPUs: a workgroup has 32 rows (or keys) of one group of heads, and goes over the others 32 at a time through workgroup memory,
// as two matrix products with the weights e^(s − m) between them. Thread (tr, tc) of 8 × 8 has rows 4·tr to 4·tr + 3, a vec4, and of the product's columns
// 4·tc to 4·tc + 3. Of the head size, a workgroup makes at most 128 elements (64 where it makes two tables) and others the rest. 14 KiB, within WebGPU's 16.
import type { Dispatch } from "../dispatch.ts";
import { type Form, LOWEST, PLACES, SEEN, scores } from "./attention-in-registers.ts";

const SIZE = 64; // threads
const BLOCK = 32; // rows of a workgroup

/** A table that tiles are filled from, and how its rows are numbered. */
interface Table {
  readonly name: "q" | "k" | "v" | "dy";
  readonly of: "rows" | "keys";
}
const Q: Table = { name: "q", of: "rows" };
const DY: Table = { name: "dy", of: "rows" };
const K: Table = { name: "k", of: "keys" };
const V: Table = { name: "v", of: "keys" };

/** How many times 64 elements of the head a workgroup makes. */
const spansOf = (d: number): 1 | 2 => (d > 64 ? 2 : 1);
const chunksOf = (d: number, spans: number): number => Math.max(1, Math.ceil(d / (64 * spans)));

/** Element d of a row or key; 0 beyond the rows, the head size, or the keys that anyone sees. */
const element = ({ name, of }: Table): string =>
  of === "rows"
    ? `fn ${name}_one(b: u32, g: u32, r: u32, d: u32) -> f32 {
  if (r < params.time * params.share && d < D) { return ${name}_at(row_start(b, g, r) + d); }
  return 0.0;
}`
    : `fn ${name}_one(b: u32, g: u32, j: u32, d: u32) -> f32 {
  if (j >= first_key(b) && j < params.offset + params.time && d < D) { return ${name}_at(key_start(b, g, j) + d); }
  return 0.0;
}`;

/** `left_right(b, g, from_left, from_right, local)`: 4 × 4 products a thread, column c in element c. */
const product = (left: Table, right: Table): string => {
  const four = ({ name }: Table, origin: string): string =>
    `vec4f(${[0, 1, 2, 3].map((n) => `${name}_one(b, g, ${origin} + 4u * quad + ${n}u, d)`).join(", ")})`;
  return /* wgsl */ `
fn ${left.name}_${right.name}(b: u32, g: u32, left: u32, right: u32, local: u32) -> array<vec4f, 4> {
  var sum: array<vec4f, 4>;
  for (var origin = 0u; origin < max(D, 1u); origin += 32u) {
    workgroupBarrier();
    let d = origin + local % 32u;
    for (var quad = local / 32u; quad < 8u; quad += 2u) {
      tile[local % 32u * 9u + quad] = ${four(left, "left")};
      tile[288u + local % 32u * 9u + quad] = ${four(right, "right")};
    }
    workgroupBarrier();
    for (var i = 0u; i < 32u; i++) {
      let l = tile[i * 9u + local / 8u];
      let r = tile[288u + i * 9u + local % 8u];
      sum[0] += l * r.x;
      sum[1] += l * r.y;
      sum[2] += l * r.z;
      sum[3] += l * r.w;
    }
  }
  return sum;
}`;
};

/** Where element n of 8 of a thread's span lies in the head, from the chunk's first: neighbouring threads have neighbouring vec4s. */
const place = (span: number, n: number): string => `${64 * span + (n < 4 ? n : 28 + n)}u + 4u * (local % 8u)`;

const eachElement = (spans: number, line: (index: number, at: string) => string): string =>
  Array.from({ length: 8 * spans }, (_, i) => line(i, place(Math.floor(i / 8), i % 8))).join("\n");

/** `add_table(acc, …)`: acc[n] += Σ_j weights[j]·table[from + j][n], for the elements of the head from d on. */
const addition = ({ name }: Table, spans: number): string => /* wgsl */ `
fn add_${name}(acc: ptr<function, array<vec4f, ${8 * spans}>>, b: u32, g: u32, origin: u32, chunk: u32, local: u32) {
${Array.from(
  { length: spans },
  (_, span) => `  workgroupBarrier();
  for (var at = local; at < 512u; at += ${SIZE}u) {
    let d = chunk + ${64 * span}u + at % 16u * 4u;
    let j = origin + at / 16u;
    tile[at] = vec4f(${[0, 1, 2, 3].map((n) => `${name}_one(b, g, j, d + ${n}u)`).join(", ")});
  }
  workgroupBarrier();
  for (var j = 0u; j < 32u; j++) {
    let w = weights[j * 9u + local / 8u];
    let x = tile[j * 16u + local % 8u];
    let z = tile[j * 16u + 8u + local % 8u];
${[..."xyzw"].map((c, n) => `    (*acc)[${8 * span + n}] += w * x.${c};\n    (*acc)[${8 * span + 4 + n}] += w * z.${c};`).join("\n")}
  }`,
).join("\n")}
}`;

const shared = (form: Form): string => /* wgsl */ `${PLACES}${SEEN}${scores(form)}
var<workgroup> tile: array<vec4f, 576>; // two blocks of 32 elements (a vec4 of padding each), or 64 elements of one
var<workgroup> weights: array<vec4f, 288>; // [column][4 rows], a vec4 of padding each
fn four_ends(r: u32) -> vec4u { return vec4u(end_key(r), end_key(r + 1u), end_key(r + 2u), end_key(r + 3u)); }
fn four_starts(r: u32) -> vec4u { return four_ends(r) - min(four_ends(r), vec4u(params.window)); }`;

/** Which block of rows, or keys, a workgroup has. */
const placeOfGroup = (d: number, spans: number, origin: string): string => /* wgsl */ `
  let rows = params.time * params.share;
  let chunk = group % ${chunksOf(d, spans)}u * ${64 * spans}u;
  let part = group / ${chunksOf(d, spans)}u % params.parts;
  let numbered = group / ${chunksOf(d, spans)}u / params.parts;
  let blocks = (${origin} + ${BLOCK - 1}u) / ${BLOCK}u;
  let origin = numbered % blocks * ${BLOCK}u;
  let g = numbered / blocks % params.groups;
  let b = numbered / blocks / params.groups;
  let own = origin + 4u * (local / 8u);`;

const grid = (workgroups: number): Dispatch["grid"] => ({ workgroups, size: SIZE });

interface Sizes {
  readonly d: number;
  readonly batch: number;
  readonly groups: number;
  readonly rows: number;
  readonly keys: number;
}

export const attentionInTiles = {
  gridOfRows: ({ d, batch, groups, rows }: Sizes, parts: number) =>
    grid(batch * groups * Math.ceil(rows / BLOCK) * parts * chunksOf(d, spansOf(d))),
  gridOfKeys: ({ d, batch, groups, keys }: Sizes) => grid(batch * groups * Math.ceil(keys / BLOCK) * chunksOf(d, 1)),

  // z[j] = score(q·k[j])     m = max z     total = Σ_j e^(z[j] − m)     sum = Σ_j e^(z[j] − m)·v[j]     over the workgroup's part of the keys
  forward: (finish: string, form: Form) => /* wgsl */ `${shared(form)}
var<workgroup> largest: array<f32, 32>;
var<workgroup> shrink: array<f32, 32>;
var<workgroup> total: array<f32, 32>;
${[Q, K, V].map(element).join("\n")}${product(Q, K)}${addition(V, spansOf(form.d))}${finish}
fn put(part: u32, b: u32, g: u32, r: u32, d: u32, local: u32, sum: vec4f) {
  let rows = params.time * params.share;
  for (var n = 0u; n < 4u && d < D && r + n < rows; n++) {
    finish(part, (b * params.groups + g) * rows + r + n, row_start(b, g, r + n), d, sum[n], total[4u * (local / 8u) + n]);
  }
}
fn block(group: u32, local: u32) {${placeOfGroup(form.d, spansOf(form.d), "rows")}
  let begin = max(max(first_key(b), window_start(origin)), params.first + part * params.part_keys);
  let end = min(end_key(min(origin + ${BLOCK - 1}u, rows - 1u)), params.first + (part + 1u) * params.part_keys);
  let ends = min(four_ends(own), vec4u(end));
  let firsts = four_starts(own);
  if (local < 32u) {
    largest[local] = ${LOWEST};
    total[local] = 0.0;
  }
  var acc: array<vec4f, ${8 * spansOf(form.d)}>;
  for (var j = begin; j < end; j += 32u) {
    var s = q_k(b, g, origin, j, local);
    var seen: array<vec4<bool>, 4>;
    for (var c = 0u; c < 4u; c++) {
      let key = vec4u(j + 4u * (local % 8u) + c);
      seen[c] = (key >= firsts) & (key < ends);
      s[c] = select(vec4f(${LOWEST}), score(s[c]), seen[c]);
      weights[(4u * (local % 8u) + c) * 9u + local / 8u] = s[c];
    }
    workgroupBarrier();
    if (local < 32u) {
      var next = largest[local];
      for (var c = 0u; c < 32u; c++) { next = max(next, weights[c * 9u + local / 4u][local % 4u]); }
      shrink[local] = exp_(largest[local] - next);
      largest[local] = next;
    }
    workgroupBarrier();
    let at = 4u * (local / 8u);
    let m = vec4f(largest[at], largest[at + 1u], largest[at + 2u], largest[at + 3u]);
    for (var c = 0u; c < 4u; c++) {
      weights[(4u * (local % 8u) + c) * 9u + local / 8u] = select(vec4f(), exp4(s[c] - m), seen[c]);
    }
    let less = vec4f(shrink[at], shrink[at + 1u], shrink[at + 2u], shrink[at + 3u]);
${eachElement(spansOf(form.d), (i) => `    acc[${i}] *= less;`)}
    add_v(&acc, b, g, j, chunk, local);
    if (local < 32u) {
      var sum = 0.0;
      for (var c = 0u; c < 32u; c++) { sum += weights[c * 9u + local / 4u][local % 4u]; }
      total[local] = total[local] * shrink[local] + sum;
    }
  }
  workgroupBarrier();
${eachElement(spansOf(form.d), (i, at) => `  put(part, b, g, own, chunk + ${at}, local, acc[${i}]);`)}
  if (local < 32u && origin + local < rows && chunk == 0u) {
    finish_row(part, (b * params.groups + g) * rows + origin + local, row_sum(b, g, origin + local), largest[local], total[local]);
  }
}`,

  // p = e^(z[j] − L)     ds = scale·p·(dy·v[j] − δ)·slope(z)     dq = Σ_j ds·k[j]
  gradientOfQueries: (form: Form) => /* wgsl */ `${shared(form)}
${[Q, DY, K, V].map(element).join("\n")}${product(Q, K)}${product(DY, V)}${addition(K, spansOf(form.d))}
fn put(b: u32, g: u32, r: u32, d: u32, sum: vec4f) {
  for (var n = 0u; n < 4u && d < D && r + n < params.time * params.share; n++) { dq[row_start(b, g, r + n) + d] = sum[n]; }
}
fn block(group: u32, local: u32) {${placeOfGroup(form.d, spansOf(form.d), "rows")}
  let end = end_key(min(origin + ${BLOCK - 1}u, rows - 1u));
  let ends = min(four_ends(own), vec4u(end));
  let firsts = four_starts(own);
  var l: vec4f;
  var delta: vec4f;
  for (var n = 0u; n < 4u; n++) {
    let at = row_sum(b, g, min(own + n, rows - 1u));
    l[n] = sums_at(at);
    delta[n] = sums_at(params.all_rows + at);
  }
  var acc: array<vec4f, ${8 * spansOf(form.d)}>;
  for (var j = max(first_key(b), window_start(origin)); j < end; j += 32u) {
    let s = q_k(b, g, origin, j, local);
    let dp = dy_v(b, g, origin, j, local);
    for (var c = 0u; c < 4u; c++) {
      let column = 4u * (local % 8u) + c;
      let key = vec4u(j + column);
      let z = score(s[c]);
      let ds = params.scale * exp4(z - l) * (dp[c] - delta) * slope(z);
      weights[column * 9u + local / 8u] = select(vec4f(), ds, (key >= firsts) & (key < ends));
    }
    add_k(&acc, b, g, j, chunk, local);
  }
${eachElement(spansOf(form.d), (i, at) => `  put(b, g, own, chunk + ${at}, acc[${i}]);`)}
}`,

  // dk[j] = Σ_r ds·q     dv[j] = Σ_r p·dy     over the rows of the key's group that see it; here the keys are the rows of the products
  gradientsOfKeys: (form: Form) => /* wgsl */ `${shared(form)}
${[Q, DY, K, V].map(element).join("\n")}${product(K, Q)}${product(V, DY)}${addition(Q, 1)}${addition(DY, 1)}
fn put(b: u32, g: u32, j: u32, d: u32, sum: vec4f, sum_v: vec4f) {
  for (var n = 0u; n < 4u && d < D && j + n < params.keys; n++) {
    dk[key_start(b, g, j + n) + d] = sum[n];
    dv[key_start(b, g, j + n) + d] = sum_v[n];
  }
}
fn block(group: u32, local: u32) {${placeOfGroup(form.d, 1, "params.keys")}
  let keys = vec4u(own) + vec4u(0u, 1u, 2u, 3u);
  let begin = (max(max(origin, first_key(b)), params.offset) - params.offset) * params.share;
  let behind = max(origin + ${BLOCK - 1}u + params.window, params.offset) - params.offset; // the time whose window begins behind these keys
  let end = select(0u, min(params.time, behind) * params.share, first_key(b) < origin + ${BLOCK}u);
  var acc: array<vec4f, 8>;
  var acc_v: array<vec4f, 8>;
  for (var r = begin; r < end; r += 32u) {
    let s = k_q(b, g, origin, r, local);
    let dp = v_dy(b, g, origin, r, local);
    var ds: array<vec4f, 4>;
    for (var c = 0u; c < 4u; c++) {
      let column = 4u * (local % 8u) + c;
      let row = min(r + column, rows - 1u);
      let end_of_row = select(0u, end_key(row), r + column < rows);
      let seen = (keys >= vec4u(max(first_key(b), window_start(row)))) & (keys < vec4u(end_of_row));
      let l = sums_at(row_sum(b, g, row));
      let z = score(s[c]);
      let p = select(vec4f(), exp4(z - vec4f(l)), seen);
      ds[c] = select(vec4f(), params.scale * p * (dp[c] - sums_at(params.all_rows + row_sum(b, g, row))) * slope(z), seen);
      weights[column * 9u + local / 8u] = p;
    }
    add_dy(&acc_v, b, g, r, chunk, local);
    workgroupBarrier();
    for (var c = 0u; c < 4u; c++) { weights[(4u * (local % 8u) + c) * 9u + local / 8u] = ds[c]; }
    add_q(&acc, b, g, r, chunk, local);
  }
${eachElement(1, (i, at) => `  put(b, g, own, chunk + ${at}, acc[${i}], acc_v[${i}]);`)}
}`,
};
