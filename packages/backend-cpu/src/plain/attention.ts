// Causal attention, one query of one head at a time. q, y [B, T, H, D], k, v [B, S, G, D], starts [B], L [B, H, T]; query head h reads key head ⌊h·G/H⌋.
import type { AttentionAttrs, KernelTable, View } from "@qlora-js/core";
import type { Host } from "../host.ts";
import { capped, slope } from "./soft-cap.ts";

/** Where the rows of one query lie, and which keys it sees: those from `first` to `last`, both included. */
interface Query {
  /** First element of its row in q and y. */
  readonly row: number;
  /** Its position in L. */
  readonly at: number;
  readonly first: number;
  readonly last: number;
  /** First element of the row of key j in k and v. */
  key(j: number): number;
}

function* queries(q: View, k: View, starts: Int32Array, { offset, window }: AttentionAttrs): Generator<Query> {
  const [batch, time, heads, d] = q.shape as [number, number, number, number];
  const [, keys, groups] = k.shape as [number, number, number, number];
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const group = Math.floor((h * groups) / heads);
      for (let t = 0; t < time; t++) {
        yield {
          row: ((b * time + t) * heads + h) * d,
          at: (b * heads + h) * time + t,
          first: Math.max(starts[b]!, window === null ? 0 : offset + t + 1 - window, 0),
          last: offset + t,
          key: (j) => ((b * keys + j) * groups + group) * d,
        };
      }
    }
  }
}

function dot(a: Float32Array, fromA: number, b: Float32Array, fromB: number, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += a[fromA + i]! * b[fromB + i]!;
  return sum;
}

export const attentionKernels = {
  // s[j] = scale·q·k[j]     z = s, or capped     L = ln Σ_j e^z[j]     y = Σ_j e^(z[j] − L)·v[j]
  attention: (host, inputs, outputs, attrs) => {
    const [qView, kView, vView, starts] = inputs as [View, View, View, View];
    const d = qView.shape[3]!;
    const [q, k, v] = [host.f32(qView), host.f32(kView), host.f32(vView)];
    const [y, logSums] = outputs.map((x) => host.f32(x)) as [Float32Array, Float32Array];
    for (const { row, at, first, last, key } of queries(qView, kView, host.i32(starts), attrs)) {
      const scores: number[] = [];
      for (let j = first; j <= last; j++) scores.push(capped(attrs.scale * dot(q, row, k, key(j), d), attrs.softcap));
      const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const total = scores.reduce((sum, s) => sum + Math.exp(s - largest), 0);
      const result = new Float64Array(d);
      for (let j = first; j <= last; j++) {
        const p = Math.exp(scores[j - first]! - largest) / total;
        for (let i = 0; i < d; i++) result[i]! += p * v[key(j) + i]!;
      }
      y.set(result, row);
      logSums[at] = total === 0 ? Number.NEGATIVE_INFINITY : largest + Math.log(total);
    }
  },
  // δ = dy·y     p = e^(z[j] − L)     ds = p·(dy·v[j] − δ)·dz/ds     dq = scale·Σ_j ds·k[j]     dk[j] += scale·ds·q     dv[j] += p·dy
  attentionBackward: (host, inputs, outputs, attrs) => {
    const [qView, kView, vView, starts, yView, lView, dyView] = inputs as [View, View, View, View, View, View, View];
    const d = qView.shape[3]!;
    const [q, k, v] = [host.f32(qView), host.f32(kView), host.f32(vView)];
    const [y, logSums, dy] = [host.f32(yView), host.f32(lView), host.f32(dyView)];
    const dq = new Float64Array(q.length);
    const dk = new Float64Array(k.length);
    const dv = new Float64Array(v.length);
    for (const { row, at, first, last, key } of queries(qView, kView, host.i32(starts), attrs)) {
      const delta = dot(dy, row, y, row, d);
      for (let j = first; j <= last; j++) {
        const from = key(j);
        const z = capped(attrs.scale * dot(q, row, k, from, d), attrs.softcap);
        const p = Math.exp(z - logSums[at]!);
        const ds = attrs.scale * p * (dot(dy, row, v, from, d) - delta) * slope(z, attrs.softcap);
        for (let i = 0; i < d; i++) {
          dq[row + i]! += ds * k[from + i]!;
          dk[from + i]! += ds * q[row + i]!;
          dv[from + i]! += p * dy[row + i]!;
        }
      }
    }
    [dq, dk, dv].forEach((sums, i) => {
      host.f32(outputs[i]!).set(sums);
    });
  },
} satisfies Partial<KernelTable<Host>>;
