import { describe, it } from "vitest";
import { againstPlain, floats, ints, noise } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe("rope", () => {
  it.each([
    { shape: [2, 130, 9, 64], half: 32 },
    { shape: [1, 1, 3, 64], half: 32 },
    { shape: [1, 5, 2, 10], half: 5 },
    { shape: [3, 4, 1, 12], half: 3 },
    { shape: [1, 3, 2, 3], half: 1 },
  ])("turns $shape by $half angles as the plain one, there and back", async ({ shape, half }) => {
    const tables = [Math.cos, Math.sin].map((f) => floats([200, half], (i) => f(i * 0.37)));
    const positions = ints(shape.slice(0, 2), (i) => (i * 31) % 200);
    for (const inverse of [false, true])
      await compare(
        { op: "rope", inputs: [floats(shape, noise(1)), ...tables, positions], outputs: [{ shape, dtype: "f32" }], attrs: { inverse } },
        { relative: 2e-7, absolute: 2e-7 },
      );
  });
});
