import { type AdamWAttrs, adamW, adamW8BitStep, adamW8bit, adamWStep, type Tensor } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, floatsOfSize, ofBits, openSoftwareGpu, scattered } from "./software-gpu.fixture.ts";

const { backend, absent } = await openSoftwareGpu();

const ATTRS: AdamWAttrs = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 3 };
const FACTOR = Math.fround(0.37);
const upload = (values: Float32Array): Tensor => ofBits(backend, values, [values.length], "f32");
const codes = (values: Uint8Array): Tensor => ofBits(backend, values, [values.length], "u8");
const factor = (): Tensor => ofBits(backend, Float32Array.of(FACTOR), [], "f32");
const f32 = async (t: Tensor): Promise<Float32Array> => new Float32Array(await bytesOf(t));
const u8 = async (t: Tensor): Promise<Uint8Array> => new Uint8Array(await bytesOf(t));
const scaled = (g: Float32Array): Float32Array => g.map((x) => x * FACTOR);

describe.skipIf(absent)(`AdamW on webgpu${absent}`, () => {
  afterAll(() => backend.dispose());

  test.each([
    { step: 1, epsilon: 1e-8 },
    { step: 2, epsilon: 1e-30 },
    { step: 1000, epsilon: 1e-8 },
  ])("gives the reference's bits on numbers of every size, in step $step with ε = $epsilon", async (more) => {
    const attrs = { ...ATTRS, ...more };
    const n = 30_001;
    const p = floatsOfSize(n, 1, -20, 20);
    const m = floatsOfSize(n, 3, -30, 20);
    const v = floatsOfSize(n, 5, -60, 40).map(Math.abs);
    const g = floatsOfSize(n, 7, -30, 20);
    const want = adamWStep(p, scaled(g), { m, v }, attrs);
    const [tp, tm, tv, tg, tf] = [upload(p), upload(m), upload(v), upload(g), factor()];
    adamW(tp, tm, tv, tg, tf, attrs);
    expect(await f32(tm)).toEqual(want.m);
    expect(await f32(tv)).toEqual(want.v);
    expect(await f32(tp)).toEqual(want.parameter);
    for (const t of [tg, tf]) t.dispose();
  });

  test.each([1, 256, 600, 20_300])(
    "gives the reference's bits with 8-bit moments of %i numbers, infinite gradients and empty blocks included",
    async (n) => {
      const blocks = Math.ceil(n / 256);
      const p = floatsOfSize(n, 1, -10, 4);
      const g = floatsOfSize(n, 3, -25, 4).map((x, i) => (i % 97 === 13 ? Number.NaN : i % 97 === 14 ? Number.POSITIVE_INFINITY : x));
      if (n > 2000) g.fill(0, 1024, 1280);
      const state = [7, 9].map((seed) => ({
        codes: Uint8Array.from({ length: n }, (_, i) => (i >= 1024 && i < 1280 ? (seed === 7 ? 127 : 0) : scattered(seed)(i) & 255)),
        absmax: Float32Array.from({ length: blocks }, (_, i) => (i % 5 === 2 ? 0 : (1 + (scattered(seed)(i) % 1000)) / 700)),
      }));
      const [m, v] = state as [(typeof state)[0], (typeof state)[0]];
      const want = adamW8BitStep(p, scaled(g), { m, v }, ATTRS);
      const moments = { m: codes(m.codes), v: codes(v.codes), mMax: upload(m.absmax), vMax: upload(v.absmax) };
      const [tp, tg, tf] = [upload(p), upload(g), factor()];
      adamW8bit(tp, moments, tg, tf, ATTRS);
      expect(await f32(moments.mMax)).toEqual(want.m.absmax);
      expect(await f32(moments.vMax)).toEqual(want.v.absmax);
      expect(await u8(moments.m)).toEqual(want.m.codes);
      expect(await u8(moments.v)).toEqual(want.v.codes);
      expect(await f32(tp)).toEqual(want.parameter);
      for (const t of [tg, tf]) t.dispose();
    },
  );
});
