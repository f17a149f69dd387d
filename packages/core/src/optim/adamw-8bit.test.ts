import { describe, expect, it } from "vitest";
import { dynamicMap } from "../quant/dynamic-map.ts";
import { dequantize8Bit } from "../quant/quantize-8bit.ts";
import { type AdamWStep, adamWStep } from "./adamw.ts";
import { adamW8BitState, adamW8BitStep, MOMENT_BLOCK } from "./adamw-8bit.ts";

const OPTIONS: AdamWStep = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 1 };

const wave = (n: number, scale = 1): Float32Array => Float32Array.from({ length: n }, (_, i) => scale * Math.sin(i + 1));

describe("adamW8BitStep", () => {
  it("takes a first step exactly as AdamW: only the moments that it keeps are rounded", () => {
    const n = 600;
    const [p, g] = [wave(n), wave(n, 0.01)];
    const eight = adamW8BitStep(p, g, adamW8BitState(n), OPTIONS);
    const full = adamWStep(p, g, { m: new Float32Array(n), v: new Float32Array(n) }, OPTIONS);
    expect(eight.parameter).toEqual(full.parameter);
    const m = dequantize8Bit(eight.m, dynamicMap("signed"), MOMENT_BLOCK);
    const v = dequantize8Bit(eight.v, dynamicMap("unsigned"), MOMENT_BLOCK);
    for (let i = 0; i < n; i++) {
      expect(Math.abs(m[i]! - full.m[i]!)).toBeLessThan(0.0072 * eight.m.absmax[i >> 8]!);
      expect(Math.abs(v[i]! - full.v[i]!)).toBeLessThan(0.0072 * eight.v.absmax[i >> 8]!);
    }
  });

  it("keeps one scale for every 256 moments and one for a short rest", () => {
    const { m, v } = adamW8BitStep(wave(600), wave(600), adamW8BitState(600), OPTIONS);
    expect([m.codes.length, v.codes.length, m.absmax.length, v.absmax.length]).toEqual([600, 600, 3, 3]);
  });

  it("leaves a parameter whose gradient is not finite, and forgets its moments", () => {
    const first = adamW8BitStep(wave(4), wave(4), adamW8BitState(4), OPTIONS);
    const second = adamW8BitStep(first.parameter, Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, 1), first, {
      ...OPTIONS,
      step: 2,
    });
    expect([second.parameter[0], second.parameter[2]]).toEqual([first.parameter[0], first.parameter[2]]);
    expect(second.parameter[1]).not.toBe(first.parameter[1]);
    expect([second.m.codes[0], second.m.codes[2], second.v.codes[0], second.v.codes[2]]).toEqual([127, 127, 0, 0]);
    expect([...second.parameter].every(Number.isFinite)).toBe(true);
  });

  it("keeps the sign of a negative moment too small for its block", () => {
    const { m } = adamW8BitStep(new Float32Array(3), Float32Array.of(1, -1e-9, 1e-9), adamW8BitState(3), OPTIONS);
    expect([...m.codes]).toEqual([255, 126, 127]);
  });

  it("leaves the state it is given as it is", () => {
    const state = adamW8BitState(8);
    adamW8BitStep(wave(8), wave(8), state, OPTIONS);
    expect(state).toEqual(adamW8BitState(8));
  });
});
