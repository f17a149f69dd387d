import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../byte-source.ts";
import { ggufBytes } from "./gguf.fixture.ts";
import { openGguf } from "./gguf-file.ts";
import { type TensorElements, tensorElements } from "./tensor-elements.ts";
import type { TensorChange } from "./tensor-names.ts";
import { undoChange } from "./undo-change.ts";

const HEADS = { heads: 4, kvHeads: 2 };

/** The elements 0, 1, 2, … in a shape. */
async function counted(shape: readonly number[]): Promise<TensorElements> {
  const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
  const file = await openGguf(
    bytesSource(ggufBytes({ tensors: [{ name: "t", type: "F32", shape, data: new Uint8Array(numbers.buffer) }] })),
  );
  return tensorElements("t", file.tensors.get("t")!, "F32");
}

const all = async (elements: TensorElements): Promise<number[]> => {
  const count = elements.shape.reduce((a, b) => a * b, 1);
  return [...new Float32Array((await elements.read(0, count)).buffer)];
};

/** What llama.cpp's converter does, said with one index for each axis. */
const CONVERTED: Readonly<Record<string, (rows: number[][]) => number[][]>> = {
  "rotary-query": (rows) => pairs(rows, HEADS.heads),
  "rotary-key": (rows) => pairs(rows, HEADS.kvHeads),
  "heads-apart": (rows) => {
    const d = rows.length / 12;
    return [0, 1, 2].flatMap((part) => [0, 1, 2, 3].flatMap((head) => rows.slice((head * 3 + part) * d, (head * 3 + part + 1) * d)));
  },
  transpose: (rows) => rows[0]!.map((_, column) => rows.map((row) => row[column]!)),
};

function pairs(rows: number[][], heads: number): number[][] {
  const half = rows.length / heads / 2;
  const inHead = Array.from({ length: half }, (_, i) => [i, half + i]).flat();
  return Array.from({ length: heads }, (_, head) => inHead.map((i) => rows[head * 2 * half + i]!)).flat();
}

describe("what the converter did is undone,", () => {
  test.each(Object.keys(CONVERTED))("%s, whole and by any range", async (change) => {
    const [rowCount, columns] = [24, 5];
    const original = Array.from({ length: rowCount }, (_, r) => Array.from({ length: columns }, (_, c) => r * columns + c));
    const converted = CONVERTED[change]!(original);
    const numbers = Float32Array.from(converted.flat());
    const shape = [converted.length, converted[0]!.length];
    const file = await openGguf(
      bytesSource(ggufBytes({ tensors: [{ name: "t", type: "F32", shape, data: new Uint8Array(numbers.buffer) }] })),
    );
    const undone = undoChange("t", tensorElements("t", file.tensors.get("t")!, "F32"), change as TensorChange, HEADS);
    expect(undone.shape).toEqual([rowCount, columns]);
    expect(await all(undone)).toEqual(original.flat());
    await fc.assert(
      fc.asyncProperty(fc.nat(rowCount * columns), fc.nat(rowCount * columns), async (a, b) => {
        const [first, end] = [Math.min(a, b), Math.max(a, b)];
        const bytes = await undone.read(first, end - first);
        expect([...new Float32Array(bytes.buffer)]).toEqual(original.flat().slice(first, end));
      }),
    );
  });

  test("rows of biases move as those of weights, and a transposed bias stays", async () => {
    expect(await all(undoChange("t", await counted([8]), "rotary-key", HEADS))).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(await all(undoChange("t", await counted([4]), "transpose", HEADS))).toEqual([0, 1, 2, 3]);
  });

  test("norms lose the 1 that was added", async () => {
    expect(await all(undoChange("t", await counted([3]), "plus-one", HEADS))).toEqual([-1, 0, 1]);
  });
});

describe("refuses", () => {
  test.each([
    ["rotary-query", [12, 2], /has 12 rows, which do not divide into 8 parts/],
    ["heads-apart", [10, 2], /10 rows.* 12 parts/],
    ["rotary-key", [8, 2, 2], /3 dimensions/],
  ] as const)("%s of %j", async (change, shape, message) => {
    const elements = await counted(shape);
    expect(() => undoChange("f.gguf: t", elements, change, HEADS)).toThrow(FormatError);
    expect(() => undoChange("f.gguf: t", elements, change, HEADS)).toThrow(message);
  });

  test("a norm that is not of f32", async () => {
    const file = await openGguf(bytesSource(ggufBytes({ tensors: [{ name: "t", type: "F16", shape: [2], data: new Uint8Array(4) }] })));
    const half = tensorElements("t", file.tensors.get("t")!, "F32");
    expect(() => undoChange("t", half, "plus-one", HEADS)).toThrow(/norm in F16, not F32/);
  });
});
