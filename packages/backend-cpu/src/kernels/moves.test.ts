// Ops that move elements and compute nothing: permute, slice, pad, concat, gather, scatter, indexSelect, indexAdd, writeRows.
import { type DType, numberToBf16, numberToF16, type Shape, sizeOf } from "@qlora-js/core";
import { describe, it } from "vitest";
import { againstPlain, floats, ints, noise, type Values } from "./against-plain.fixture.ts";

const compare = againstPlain();

const counted = (shape: Shape, dtype: DType): Values => {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => (dtype === "u8" ? i % 251 : i % 30_011));
  return { shape, dtype, data };
};

describe("permute", () => {
  it.each([
    { shape: [3], axes: [0] },
    { shape: [37, 50], axes: [1, 0] },
    { shape: [200, 300], axes: [1, 0] },
    { shape: [2, 70, 3, 20], axes: [0, 2, 1, 3] },
    { shape: [2, 7, 3, 20], axes: [3, 2, 1, 0] },
    { shape: [4, 5, 6], axes: [2, 0, 1] },
    { shape: [4, 5, 6], axes: [1, 2, 0] },
    { shape: [2, 3, 2, 3, 2], axes: [4, 2, 0, 3, 1] },
    { shape: [1, 3, 1, 5], axes: [3, 0, 2, 1] },
    { shape: [0, 3], axes: [1, 0] },
    { shape: [], axes: [] },
  ])("puts the axes of $shape in the order $axes for elements of any size", async ({ shape, axes }) => {
    for (const dtype of ["f32", "bf16", "u8", "i32"] as const)
      await compare({
        op: "permute",
        inputs: [counted(shape, dtype)],
        outputs: [{ shape: axes.map((d) => shape[d]!), dtype }],
        attrs: { axes },
      });
  });
});

describe("slice, pad and concat", () => {
  it("cut, fill and join along any axis", async () => {
    const shape = [5, 70, 130];
    for (const dtype of ["f32", "u8"] as const) {
      for (const axis of [0, 1, 2]) {
        const resized = (size: number): Shape => shape.map((d, i) => (i === axis ? size : d));
        const x = counted(shape, dtype);
        await compare({ op: "slice", inputs: [x], outputs: [{ shape: resized(2), dtype }], attrs: { axis, start: 3, size: 2 } });
        await compare({ op: "slice", inputs: [x], outputs: [{ shape: resized(0), dtype }], attrs: { axis, start: 3, size: 0 } });
        await compare({
          op: "pad",
          inputs: [x],
          outputs: [{ shape: resized(shape[axis]! + 3), dtype }],
          attrs: { axis, before: 1, after: 2 },
        });
        const parts = [counted(resized(2), dtype), counted(resized(0), dtype), counted(resized(1), dtype)];
        await compare({ op: "concat", inputs: parts, outputs: [{ shape: resized(3), dtype }], attrs: { axis } });
      }
    }
  });
  it("writeRows puts rows into a cache and leaves the others", async () => {
    for (const rest of [[3, 64], [5], []])
      await compare({
        op: "writeRows",
        inputs: [counted([2, 9, ...rest], "f32"), floats([2, 4, ...rest], noise(1))],
        outputs: "in place",
        attrs: { start: 5 },
      });
  });
});

describe("picking", () => {
  it("gather and scatter are the plain ones", async () => {
    const index = ints([300], (i) => (i * 31) % 70);
    await compare({ op: "gather", inputs: [floats([300, 70], noise(1)), index], outputs: [{ shape: [300], dtype: "f32" }] });
    await compare({
      op: "scatter",
      inputs: [floats([300], noise(1)), index],
      outputs: [{ shape: [300, 70], dtype: "f32" }],
      attrs: { size: 70 },
    });
  });
  it.each([1, 7, 64, 577])("indexSelect picks rows of %i numbers from tables of each float", async (width) => {
    const ids = ints([4, 70], (i) => (i * 13) % 90);
    const table = floats([90, width], noise(1));
    const output = [{ shape: [4, 70, width], dtype: "f32" }] as const;
    await compare({ op: "indexSelect", inputs: [table, ids], outputs: output });
    await compare({
      op: "indexSelect",
      inputs: [{ ...table, dtype: "bf16", data: Array.from(table.data, numberToBf16) }, ids],
      outputs: output,
    });
    await compare({
      op: "indexSelect",
      inputs: [{ ...table, dtype: "f16", data: Array.from(table.data, numberToF16) }, ids],
      outputs: output,
    });
  });
  it.each([1, 7, 64, 577])("indexAdd adds rows of %i numbers, ids that come again included", async (width) => {
    const ids = ints([2, 150], (i) => (i * i) % 40);
    await compare(
      {
        op: "indexAdd",
        inputs: [floats([2, 150, width], noise(1)), ids],
        outputs: [{ shape: [45, width], dtype: "f32" }],
        attrs: { rows: 45 },
      },
      { absolute: 2e-6, relative: 1e-6 },
    );
  });
});
