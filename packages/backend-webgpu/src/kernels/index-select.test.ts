import { bf16ToNumber, type DType, f16ToNumber, gather, indexAdd, indexSelect, numberToBf16, numberToF16 } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, floatsOfSize, ofBits, openSoftwareGpu, scattered } from "./software-gpu.fixture.ts";

// one binding shows 4096 bytes, so that the tables are seen through several
const { backend, absent } = await openSoftwareGpu({ maxBindingBytes: 4096 });

const [ROWS, WIDTH] = [90, 37];
const MANY = 900; // rows of a table that takes more windows than a kernel has bindings

describe.skipIf(absent)(`picking rows on webgpu${absent}`, () => {
  afterAll(() => backend.dispose());

  const many = floatsOfSize(MANY * WIDTH, 1, -8, 8);
  test.each([
    ["f32", many.subarray(0, ROWS * WIDTH), (x: number) => x],
    ["f32", many, (x: number) => x],
    ["bf16", Uint16Array.from(many, numberToBf16), bf16ToNumber],
    ["f16", Uint16Array.from(many, numberToF16), f16ToNumber],
  ] as const)("indexSelect reads a table of %s through several windows, and parts of it", async (dtype, bits, widen) => {
    const rows = bits.length / WIDTH;
    const ids = Int32Array.from({ length: 200 }, (_, j) => (j === 0 ? rows - 1 : scattered(2)(j) % rows));
    const [table, index] = [ofBits(backend, bits, [rows, WIDTH], dtype as DType), ofBits(backend, ids, [20, 10], "i32")];
    const y = indexSelect(table, index);
    for (const t of [table, index]) t.dispose();
    const want = Float32Array.from({ length: 200 * WIDTH }, (_, k) => widen(bits[ids[Math.floor(k / WIDTH)]! * WIDTH + (k % WIDTH)]!));
    expect(new Float32Array(await bytesOf(y))).toEqual(want);
  });

  test.each([
    ["several windows", ROWS],
    ["several windows of several parts", MANY],
  ])("gather reads rows through %s", async (_, rows) => {
    const at = Int32Array.from({ length: rows }, (_, r) => scattered(3)(r) % WIDTH);
    const [x, index] = [
      ofBits(backend, many.subarray(0, rows * WIDTH), [rows / 10, 10, WIDTH], "f32"),
      ofBits(backend, at, [rows / 10, 10], "i32"),
    ];
    const y = gather(x, index);
    for (const t of [x, index]) t.dispose();
    expect(new Float32Array(await bytesOf(y))).toEqual(Float32Array.from(at, (c, r) => many[r * WIDTH + c]!));
  });

  test.each([
    [1, 3],
    [7, 5],
    [1500, 2],
  ])("indexAdd adds rows in order, so that the bits are those of sums one after the other: %i rows of %i", async (rows, width) => {
    const [n, x] = [1200, floatsOfSize(1200 * width, 5, -6, 6)];
    const into = Int32Array.from({ length: n }, (_, j) => scattered(6)(j) % rows);
    const want = new Float32Array(rows * width);
    for (let j = 0; j < n; j++) for (let c = 0; c < width; c++) want[into[j]! * width + c]! += x[j * width + c]!;
    const [tx, index] = [ofBits(backend, x, [n, width], "f32"), ofBits(backend, into, [n], "i32")];
    const y = indexAdd(tx, index, rows);
    for (const t of [tx, index]) t.dispose();
    expect(new Float32Array(await bytesOf(y))).toEqual(want);
  });
});
