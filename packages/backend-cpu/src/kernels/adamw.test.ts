import { describe, it } from "vitest";
import { againstPlain, floats, noise, type Values } from "./against-plain.fixture.ts";

const compare = againstPlain();

const attrs = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 3 };

describe("updates", () => {
  it.each([1, 5, 40_003])("accumulate and adamW of %i numbers give the plain bits", async (n) => {
    const [p, m, g] = [1, 2, 3].map((seed) => floats([n], noise(seed))) as [Values, Values, Values];
    const v = floats([n], (i) => noise(4)(i) ** 2);
    await compare({ op: "accumulate", inputs: [p, g], outputs: "in place" });
    await compare({ op: "adamW", inputs: [p, m, v, g, floats([], () => 0.37)], outputs: "in place", targets: 3, attrs });
  });
  it.each([1, 256, 600, 20_300])("adamW8bit of %i numbers gives the plain bits, gradients that are not finite included", async (n) => {
    const blocks = Math.ceil(n / 256);
    const codes = (seed: number): Values => ({
      shape: [n],
      dtype: "u8",
      data: Uint8Array.from({ length: n }, (_, i) => 128 + 127 * noise(seed)(i)),
    });
    const scales = (seed: number): Values => floats([blocks], (i) => (i % 5 === 2 ? 0 : 1.1 + noise(seed)(i)));
    const g = floats([n], (i) =>
      i % 97 === 13 ? Number.NaN : i % 97 === 14 ? Number.POSITIVE_INFINITY : i % 11 === 0 ? 1e-9 * noise(1)(i) : noise(1)(i),
    );
    await compare({
      op: "adamW8bit",
      inputs: [floats([n], noise(2)), codes(3), codes(4), scales(5), scales(6), g, floats([], () => 0.37)],
      outputs: "in place",
      targets: 5,
      attrs,
    });
  });
});
