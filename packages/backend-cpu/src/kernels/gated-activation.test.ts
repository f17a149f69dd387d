import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe.each(["relu", "silu", "gelu", "geluTanh"])("gatedActivation by %s", (activation) => {
  const attrs = { activation };
  it.each([[1], [3, 5], [129, 1536], [4096], [0]])("of %i… elements is the plain one, forward and back", async (...shape) => {
    const [gate, up, dy] = [8, 1, 1].map((size, seed) => floats(shape, (i) => size * noise(seed)(i))) as [never, never, never];
    const output = { shape, dtype: "f32" } as const;
    const near = { relative: 1e-6, absolute: 2e-6 };
    await compare({ op: "gatedActivation", inputs: [gate, up], outputs: [output], attrs }, near);
    await compare({ op: "gatedActivationBackward", inputs: [gate, up, dy], outputs: [output, output], attrs }, near);
  });
  it("reaches 0 and ∞ as the plain one does", async () => {
    const gate = floats([6], (i) => [-200, -88, 200, 0, Number.POSITIVE_INFINITY, Number.NaN][i]!);
    await compare(
      { op: "gatedActivation", inputs: [gate, floats([6], () => 2)], outputs: [{ shape: [6], dtype: "f32" }], attrs },
      { relative: 1e-6, absolute: 1e-36 },
    );
  });
});
