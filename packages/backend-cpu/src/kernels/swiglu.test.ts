import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe("swiglu", () => {
  it.each([[1], [3, 5], [129, 1536], [4096], [0]])("of %i… elements is the plain one, forward and back", async (...shape) => {
    const [gate, up, dy] = [1, 2, 3].map((seed) => floats(shape, (i) => 8 * noise(seed)(i))) as [never, never, never];
    const output = { shape, dtype: "f32" } as const;
    await compare({ op: "swiglu", inputs: [gate, up], outputs: [output] }, { relative: 1e-6, absolute: 1e-12 });
    await compare({ op: "swigluBackward", inputs: [gate, up, dy], outputs: [output, output] }, { relative: 1e-6, absolute: 2e-6 });
  });
  it("reaches 0 and ∞ as the plain one does", async () => {
    const gate = floats([6], (i) => [-200, -88, 200, 0, Number.POSITIVE_INFINITY, Number.NaN][i]!);
    await compare(
      { op: "swiglu", inputs: [gate, floats([6], () => 2)], outputs: [{ shape: [6], dtype: "f32" }] },
      { relative: 1e-6, absolute: 1e-36 },
    );
  });
});
