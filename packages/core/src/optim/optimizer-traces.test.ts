// Against ten steps of bitsandbytes' AdamW32bit and AdamW8bit, which lie beside the repository and not in it.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AdamWState, adamWStep } from "./adamw.ts";
import { adamW8BitState, adamW8BitStep } from "./adamw-8bit.ts";

const FILE = new URL("../../../../../shared/reference/bitsandbytes/optimizer-traces.json", import.meta.url);
const absent = !existsSync(FILE);
const why = absent ? " (skipped: ../shared/reference/bitsandbytes is absent)" : "";

interface Trace {
  opt: string;
  n: number;
  lr: number;
  wd: number;
  trace: {
    t: number;
    p_first8: number[];
    p_sum: number;
    state1_first8: number[];
    state2_first8: number[];
    absmax1?: number[];
    absmax2?: number[];
  }[];
}

/** The inputs of the goldens: an integer hash of position and seed. */
function hashInput(n: number, seed: number, scale = 1): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    let u = (Math.imul(i, 2654435761) + seed * 40503) >>> 0;
    u ^= u >>> 15;
    u = Math.imul(u, 2246822519) >>> 0;
    u ^= u >>> 13;
    return ((u >>> 8) / 2 ** 23 - 1) * scale;
  });
}

const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);

describe.skipIf(absent)(`optimizer-traces.json of bitsandbytes${why}`, () => {
  const traces = absent ? [] : (JSON.parse(readFileSync(FILE, "utf8")) as Trace[]);
  const named = (opt: string): Trace => traces.find((t) => t.opt === opt)!;
  const optionsOf = ({ lr, wd }: Trace, step: number) =>
    ({ learningRate: lr, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: wd, step }) as const;

  it("AdamW in 32 bits: the parameters themselves, and moments to float32's last places", () => {
    const run = named("AdamW32bit");
    let now: { parameter: Float32Array } & AdamWState = {
      parameter: hashInput(run.n, 1),
      m: new Float32Array(run.n),
      v: new Float32Array(run.n),
    };
    for (let t = 1; t <= 10; t++) {
      now = adamWStep(now.parameter, hashInput(run.n, 100 + t, 0.01), now, optionsOf(run, t));
      const golden = run.trace.find((row) => row.t === t);
      if (!golden) continue;
      for (let i = 0; i < 8; i++) {
        expect(now.parameter[i]).toBe(golden.p_first8[i]);
        expect(Math.abs(now.m[i]! - golden.state1_first8[i]!)).toBeLessThanOrEqual(3e-10); // of 1e-3
        expect(Math.abs(now.v[i]! / golden.state2_first8[i]! - 1)).toBeLessThanOrEqual(5e-7);
      }
      expect(Math.abs(sum(now.parameter) - golden.p_sum)).toBeLessThan(1e-6);
    }
  });

  it("AdamW in 8 bits: parameters and codes themselves, and scales to float32's last places", () => {
    const run = named("AdamW8bit");
    let now = { parameter: hashInput(run.n, 1), ...adamW8BitState(run.n) };
    for (let t = 1; t <= 10; t++) {
      now = adamW8BitStep(now.parameter, hashInput(run.n, 100 + t, 0.01), now, optionsOf(run, t));
      const golden = run.trace.find((row) => row.t === t);
      if (!golden) continue;
      expect([...now.m.codes.subarray(0, 8)]).toEqual(golden.state1_first8);
      expect([...now.v.codes.subarray(0, 8)]).toEqual(golden.state2_first8);
      for (let i = 0; i < 4; i++) {
        expect(Math.abs(now.m.absmax[i]! / golden.absmax1![i]! - 1)).toBeLessThanOrEqual(5e-7);
        expect(Math.abs(now.v.absmax[i]! / golden.absmax2![i]! - 1)).toBeLessThanOrEqual(5e-7);
      }
      expect([...now.parameter.subarray(0, 8)]).toEqual(golden.p_first8);
      expect(Math.abs(sum(now.parameter) - golden.p_sum)).toBeLessThan(2e-6);
    }
  });
});
