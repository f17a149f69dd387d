import { describe, it } from "vitest";
import { againstPlain, floats, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();
const SHAPES = [
  [1, 1],
  [3, 7],
  [2, 5, 64],
  [300, 576],
  [40, 4099],
  [0, 8],
  [2000, 24],
];
const CLOSE = { absolute: 2e-6, relative: 2e-6 };

describe("rmsNorm", () => {
  it.each(SHAPES.map((shape) => ({ shape })))("of $shape is the plain one, forward and back", async ({ shape }) => {
    const [x, w, dy] = [floats(shape, noise(1)), floats(shape.slice(-1), noise(2)), floats(shape, noise(3))];
    const attrs = { epsilon: 1e-5 };
    await compare({ op: "rmsNorm", inputs: [x, w], outputs: [{ shape, dtype: "f32" }], attrs }, CLOSE);
    await compare({ op: "rmsNormGradInput", inputs: [x, w, dy], outputs: [{ shape, dtype: "f32" }], attrs }, CLOSE);
    await compare({ op: "rmsNormGradWeight", inputs: [x, w, dy], outputs: [{ shape: shape.slice(-1), dtype: "f32" }], attrs }, CLOSE);
  });
  it("holds its digits where numbers are large and rows are long", async () => {
    const shape = [2, 100_000];
    const x = floats(shape, (i) => 1000 + noise(1)(i));
    await compare(
      { op: "rmsNorm", inputs: [x, floats([100_000], () => 1)], outputs: [{ shape, dtype: "f32" }], attrs: { epsilon: 1e-6 } },
      CLOSE,
    );
  });
});
