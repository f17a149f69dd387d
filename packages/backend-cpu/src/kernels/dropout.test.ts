import { fold, key } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats } from "./against-plain.fixture.ts";

const compare = againstPlain();

describe("dropout", () => {
  it.each([1, 7, 8, 9, 4096, 4097, 50_003])("of %i elements drops those that the plain one drops", async (n) => {
    for (const rate of [0, 1e-9, 0.1, 1 / 3, 0.5, 0.999])
      await compare(
        {
          op: "dropout",
          inputs: [floats([n], (i) => (i % 5) + 1)],
          outputs: [{ shape: [n], dtype: "f32" }],
          attrs: { rate, key: fold(key(2 ** 40 + 7), n) },
        },
        { relative: 2 ** -22 },
      );
  });
});
