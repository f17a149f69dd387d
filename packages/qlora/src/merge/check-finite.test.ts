import { numberToBf16, numberToF16 } from "@qlora-js/core";
import { expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { checkFinite } from "./check-finite.ts";

const LARGEST = { f32: 3.4e38, bf16: 3.3e38, f16: 65504 } as const;
const bytes = (dtype: keyof typeof LARGEST, values: readonly number[]) =>
  new Uint8Array(
    dtype === "f32" ? Float32Array.from(values).buffer : Uint16Array.from(values, dtype === "bf16" ? numberToBf16 : numberToF16).buffer,
  );

test.each(["f32", "bf16", "f16"] as const)("%s: weights that are no numbers are refused with their module", (dtype) => {
  checkFinite("m", dtype, bytes(dtype, [0, -1, LARGEST[dtype], -LARGEST[dtype]]));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const checking = () => checkFinite("model.layers.0.mlp.up_proj", dtype, bytes(dtype, [0, 1, value]));
    expect(checking).toThrow(UsageError);
    expect(checking).toThrow(expect.objectContaining({ fields: { module: "model.layers.0.mlp.up_proj", index: 2 } }));
  }
});
