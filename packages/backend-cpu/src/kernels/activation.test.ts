import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe.each(["relu", "silu", "gelu", "geluTanh"])("activation %s", (activation) => {
  const attrs = { activation };
  it.each([[1], [3, 5], [129, 1536], [4096], [0]])("of %i… elements is the plain one, forward and back", async (...shape) => {
    const [x, dy] = [8, 1].map((size, seed) => floats(shape, (i) => size * noise(seed)(i))) as [never, never];
    const output = { shape, dtype: "f32" } as const;
    await compare({ op: "activation", inputs: [x], outputs: [output], attrs }, { relative: 1e-6, absolute: 1e-6 });
    await compare({ op: "activationBackward", inputs: [x, dy], outputs: [output], attrs }, { relative: 1e-6, absolute: 2e-6 });
  });
  it("reaches 0 and ∞ as the plain one does", async () => {
    const x = floats([6], (i) => [-200, -88, 200, 0, Number.POSITIVE_INFINITY, Number.NaN][i]!);
    await compare({ op: "activation", inputs: [x], outputs: [{ shape: [6], dtype: "f32" }], attrs }, { relative: 1e-6, absolute: 1e-36 });
  });
});
