// Attention's programs for adapters on which workgroup memory is slow, because they are software: a thread a row (or a key), four keys (or rows) at a time,
// the whole head in registers, as vec4s where its size allows. Neighbouring threads are neighbouring rows, so that they read the same keys.
import { MATH } from "./math.ts";

/** Where rows and keys lie; for every program of attention. */
export const PLACES = /* wgsl */ `
// first element of row r of group g of batch row b in q and y, and of key j in k and v
fn row_start(b: u32, g: u32, r: u32) -> u32 {
  return ((b * params.time + r / params.share) * params.heads + g * params.share + r % params.share) * D;
}
fn key_start(b: u32, g: u32, j: u32) -> u32 { return ((b * params.keys + j) * params.groups + g) * D; }
// position of a row in L
fn row_sum(b: u32, g: u32, r: u32) -> u32 { return (b * params.heads + g * params.share + r % params.share) * params.time + r / params.share; }
`;

/** Which keys are seen: row r sees those from first_key(b) and from window_start(r) on, up to, without, end_key(r). */
export const SEEN = /* wgsl */ `
fn first_key(b: u32) -> u32 { return u32(max(starts_at(b), 0)); }
fn end_key(r: u32) -> u32 { return params.offset + r / params.share + 1u; }
fn window_start(r: u32) -> u32 { return end_key(r) - min(end_key(r), params.window); }`;

/** What a program's text is made for. */
export interface Form {
  /** Head size. */
  readonly d: number;
  /** Threads read four elements of a head at a time. */
  readonly wide: boolean;
  /** Scores have a cap. */
  readonly capped: boolean;
}

/** Scores this small stand for keys that are not seen: WGSL has no literal infinity. */
export const LOWEST = "-1e38";
/** The bits of −∞. */
export const NO_KEYS = "0xff800000u";

const PLACE_OF_THREAD = /* wgsl */ `
  let rows = params.time * params.share;
  let r = i % rows;
  let g = i / rows % params.groups;
  let b = i / rows / params.groups;
  let row = row_start(b, g, r);`;

/** How a thread holds a head: in vec4s of a table that is bound as such, or in single numbers. `element(array, d)` is its number d. */
const registers = ({ wide }: Form, tables: readonly string[]): string =>
  [
    `alias Part = ${wide ? "vec4f" : "f32"};`,
    `const WIDTH = ${wide ? 4 : 1}u;`,
    "const PARTS = max(D / WIDTH, 1u);",
    "alias Head = array<Part, PARTS>;",
    `fn dot_parts(a: Part, b: Part) -> f32 { return ${wide ? "dot(a, b)" : "a * b"}; }`,
    ...tables.map((name) => `fn ${name}_part(i: u32) -> Part { return ${wide ? `${name}[i]` : `${name}_at(i)`}; }`),
  ].join("\n");
const element = ({ wide }: Form, head: string): string => (wide ? `${head}[d / 4u][d % 4u]` : `${head}[d]`);

/** Adds a row's products with four keys: s = Σ_d q[d]·k[j][d]. */
const dots = (sum: string, own: string, other: string): string =>
  `for (var d = 0u; d < D / WIDTH; d++) { ${sum} += vec4f(${[..."xyzw"].map((c) => `dot_parts(${own}[d], ${other}_part(at.${c} + d))`).join(", ")}); }`;

/** Four rows of a table, weighted: Σ_j w[j]·v[j][d]. */
const weighted = (weights: string, table: string): string =>
  [..."xyzw"].map((c) => `${weights}.${c} * ${table}_part(at.${c} + d)`).join(" + ");

/** The four keys from j on, the last of them again where there are fewer. */
const FOUR_KEYS = /* wgsl */ `
    let key = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
    let seen = key < vec4u(end);
    let last = min(key, vec4u(end - 1u));
    let at = vec4u(key_start(b, g, last.x), key_start(b, g, last.y), key_start(b, g, last.z), key_start(b, g, last.w)) / WIDTH;`;

/** `score`: of products q·k to z, scaled and perhaps capped; `slope`: dz/ds; `exp4`. */
export const scores = ({ capped }: Form): string => /* wgsl */ `${capped ? CAPPED : UNCAPPED}
fn exp4(x: vec4f) -> vec4f { return vec4f(exp_(x.x), exp_(x.y), exp_(x.z), exp_(x.w)); }`;
const UNCAPPED = /* wgsl */ `${MATH.exp}
fn score(product: vec4f) -> vec4f { return params.scale * product; }
fn slope(z: vec4f) -> vec4f { return vec4f(1.0); }`;
const CAPPED = /* wgsl */ `${MATH.tanh}
fn score(product: vec4f) -> vec4f {
  let x = params.scale * product * params.per_softcap;
  return params.softcap * vec4f(tanh_(x.x), tanh_(x.y), tanh_(x.z), tanh_(x.w));
}
fn slope(z: vec4f) -> vec4f {
  let h = z * params.per_softcap;
  return (vec4f(1.0) - h) * (vec4f(1.0) + h);
}`;

export const attentionInRegisters = {
  // z[j] = score(q·k[j])     m = max z     total = Σ_j e^(z[j] − m)     sum = Σ_j e^(z[j] − m)·v[j]     over the thread's part of the keys
  forward: (finish: string, form: Form) => /* wgsl */ `${PLACES}${SEEN}${scores(form)}
${registers(form, ["q", "k", "v"])}
${finish}
fn thread(all: u32) {
  let i = all % params.all_rows;
  let part = all / params.all_rows;${PLACE_OF_THREAD}
  var own: Head;
  var sum: Head;
  for (var d = 0u; d < D / WIDTH; d++) { own[d] = q_part(row / WIDTH + d); }
  let begin = max(max(first_key(b), window_start(r)), params.first + part * params.part_keys);
  let end = min(end_key(r), params.first + (part + 1u) * params.part_keys);
  var largest = ${LOWEST};
  var total = 0.0;
  for (var j = begin; j < end; j += 4u) {${FOUR_KEYS}
    var s = vec4f();
    ${dots("s", "own", "k")}
    s = select(vec4f(${LOWEST}), score(s), seen);
    let next = max(largest, max(max(s.x, s.y), max(s.z, s.w)));
    let shrink = exp_(largest - next);
    let p = select(vec4f(), exp4(s - next), seen);
    for (var d = 0u; d < D / WIDTH; d++) { sum[d] = sum[d] * shrink + (${weighted("p", "v")}); }
    total = total * shrink + (p.x + p.y + p.z + p.w);
    largest = next;
  }
  for (var d = 0u; d < D; d++) { finish(part, i, row, d, ${element(form, "sum")}, total); }
  finish_row(part, i, row_sum(b, g, r), largest, total);
}`,

  // p = e^(z[j] − L)     ds = scale·p·(dy·v[j] − δ)·slope(z)     dq = Σ_j ds·k[j]
  gradientOfQueries: (form: Form) => /* wgsl */ `${PLACES}${SEEN}${scores(form)}
${registers(form, ["q", "k", "v", "dy"])}
fn thread(i: u32) {${PLACE_OF_THREAD}
  var own: Head;
  var own_dy: Head;
  var sum: Head;
  for (var d = 0u; d < D / WIDTH; d++) {
    own[d] = q_part(row / WIDTH + d);
    own_dy[d] = dy_part(row / WIDTH + d);
  }
  let l = sums_at(row_sum(b, g, r));
  let delta = sums_at(params.all_rows + row_sum(b, g, r));
  let end = end_key(r);
  for (var j = max(first_key(b), window_start(r)); j < end; j += 4u) {${FOUR_KEYS}
    var s = vec4f();
    var dp = vec4f();
    ${dots("s", "own", "k")}
    ${dots("dp", "own_dy", "v")}
    let z = score(s);
    let ds = select(vec4f(), params.scale * exp4(z - l) * (dp - delta) * slope(z), seen);
    for (var d = 0u; d < D / WIDTH; d++) { sum[d] += ${weighted("ds", "k")}; }
  }
  for (var d = 0u; d < D; d++) { dq[row + d] = ${element(form, "sum")}; }
}`,

  // dk[j] = Σ_r ds·q     dv[j] = Σ_r p·dy     over the rows of the key's group that see it
  gradientsOfKeys: (form: Form) => /* wgsl */ `${PLACES}${SEEN}${scores(form)}
${registers(form, ["q", "k", "v", "dy"])}
fn thread(i: u32) {
  let j = i % params.keys;
  let g = i / params.keys % params.groups;
  let b = i / params.keys / params.groups;
  let start = key_start(b, g, j);
  var own: Head;
  var own_v: Head;
  var sum: Head;
  var sum_v: Head;
  for (var d = 0u; d < D / WIDTH; d++) {
    own[d] = k_part(start / WIDTH + d);
    own_v[d] = v_part(start / WIDTH + d);
  }
  let times = min(params.time, max(j + params.window, params.offset) - params.offset); // those whose window begins behind this key are not met
  let rows = select(0u, times * params.share, j >= first_key(b));
  let earliest = j / 4u * 4u; // neighbouring threads go over the same rows
  for (var r = (max(earliest, params.offset) - params.offset) * params.share; r < rows; r += 4u) {
    let four_rows = vec4u(r) + vec4u(0u, 1u, 2u, 3u);
    let last = min(four_rows, vec4u(rows - 1u));
    let seen = (four_rows < vec4u(rows)) & (vec4u(j) < vec4u(params.offset + 1u) + last / params.share);
    let at = vec4u(row_start(b, g, last.x), row_start(b, g, last.y), row_start(b, g, last.z), row_start(b, g, last.w)) / WIDTH;
    let position = vec4u(row_sum(b, g, last.x), row_sum(b, g, last.y), row_sum(b, g, last.z), row_sum(b, g, last.w));
    var s = vec4f();
    var dp = vec4f();
    ${dots("s", "own", "q")}
    ${dots("dp", "own_v", "dy")}
    let l = vec4f(sums_at(position.x), sums_at(position.y), sums_at(position.z), sums_at(position.w));
    let behind = position + vec4u(params.all_rows);
    let delta = vec4f(sums_at(behind.x), sums_at(behind.y), sums_at(behind.z), sums_at(behind.w));
    let z = score(s);
    let p = select(vec4f(), exp4(z - l), seen);
    let ds = select(vec4f(), params.scale * p * (dp - delta) * slope(z), seen);
    for (var d = 0u; d < D / WIDTH; d++) {
      sum[d] += ${weighted("ds", "q")};
      sum_v[d] += ${weighted("p", "dy")};
    }
  }
  for (var d = 0u; d < D; d++) {
    dk[start + d] = ${element(form, "sum")};
    dv[start + d] = ${element(form, "sum_v")};
  }
}`,
};
