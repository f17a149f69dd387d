// Kernels read nothing behind a buffer: each operand in turn lies at the very end of the memory, where the next byte traps.
import { BYTES, type DeviceBuffer, namedFormat, sizeOf, type View } from "@qlora-js/core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type CpuBackend, createCpuBackend } from "../backend.ts";
import { floats, ints, noise, type Values } from "./against-plain.fixture.ts";
import { quantized } from "./quantized.fixture.ts";

const bytesOf = ({ shape, dtype }: Omit<Values, "data">): number => Math.max(Math.ceil((sizeOf(shape) * BYTES[dtype]) / 64) * 64, 64);
const output = (...shape: number[]): Values => floats(shape, () => 0);
const half = (shape: number[]): Values => ({ shape, dtype: "bf16", data: new Uint16Array(sizeOf(shape)).fill(0x3f80) });
const orientation = { transposeA: false, transposeB: true };
const format = namedFormat("nf4");

describe("kernels at the end of the memory", () => {
  let backend: CpuBackend;
  let room: number;
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 1, maxBytes: 8 * 2 ** 20 });
    room = fill(8 * 2 ** 20);
  });
  afterAll(() => backend.dispose());

  /** How much there is to allocate, found by taking all of it. */
  function fill(most: number): number {
    const taken: DeviceBuffer[] = [];
    let bytes = 0;
    for (let size = most; size >= 64; ) {
      try {
        taken.push(backend.alloc(size));
        bytes += size;
      } catch {
        size /= 2;
      }
    }
    for (const buffer of taken) backend.free(buffer);
    return bytes;
  }

  /** Runs with the given operand last in memory; temporary room comes out of `spare` bytes before it. */
  function runAtEnd(op: string, operands: readonly Values[], outputs: number, attrs: object, last: number): void {
    const spare = 2 ** 20;
    const before = operands.filter((_, i) => i !== last);
    const used = operands.reduce((sum, operand) => sum + bytesOf(operand), 0);
    const buffers = new Map<Values, DeviceBuffer>();
    for (const operand of before) buffers.set(operand, backend.alloc(bytesOf(operand)));
    const temporary = backend.alloc(spare);
    const filler = backend.alloc(room - used - spare);
    buffers.set(operands[last]!, backend.alloc(bytesOf(operands[last]!)));
    backend.free(temporary);
    const views = operands.map((operand): View => ({ buffer: buffers.get(operand)!, dtype: operand.dtype, shape: operand.shape }));
    for (const [i, { data, dtype }] of operands.entries()) {
      const bytes =
        dtype === "f32"
          ? Float32Array.from(data)
          : dtype === "i32"
            ? Int32Array.from(data)
            : dtype === "u8"
              ? Uint8Array.from(data)
              : Uint16Array.from(data);
      backend.write(views[i]!.buffer, new Uint8Array(bytes.buffer));
    }
    backend.run(op, views.slice(0, views.length - outputs), views.slice(views.length - outputs), attrs); // traps, if it does
    for (const buffer of [...buffers.values(), filler]) backend.free(buffer);
  }

  const sizes = [
    [1, 5, 36],
    [2, 16, 64],
    [3, 24, 40],
    [6, 576, 96],
    [7, 33, 700],
    [11, 8, 9],
    [70, 40, 33],
  ] as const;
  type Case = [what: string, op: string, values: Values[], outputs: number, attrs: object];
  const cases: Case[] = sizes.flatMap(([m, n, k]) => {
    const [a, w, y] = [floats([m, k], noise(1)), floats([n, k], noise(2)), output(m, n)];
    const products: Case[] = [
      ["", "matmul", [a, w, y], 1, orientation],
      [" and a row", "addmm", [floats([n], noise(3)), a, w, y], 1, orientation],
      [" and all", "addmm", [floats([m, n], noise(3)), a, w, y], 1, orientation],
      [" in bf16", "matmul", [a, half([n, k]), y], 1, orientation],
      [", B [k, n] in bf16", "matmul", [a, half([k, n]), y], 1, { transposeA: false, transposeB: false }],
      [", A [k, m]", "matmul", [floats([k, m], noise(4)), floats([k, n], noise(2)), y], 1, { transposeA: true, transposeB: false }],
      [", both turned", "addmm", [floats([m, n], noise(3)), floats([k, m], noise(4)), w, y], 1, { transposeA: true, transposeB: true }],
      [" in 4 bits", "qaddmm", [floats([m, n], noise(3)), a, ...quantized([n, k], format, 5), y], 1, { transposed: false, format }],
      [" in 4 bits, the gradient's way", "qmatmul", [a, ...quantized([k, n], format, 5), y], 1, { transposed: true, format }],
    ];
    return products.map(([what, ...rest]): Case => [`[${m}, ${k}]·[${k}, ${n}]${what}`, ...rest]);
  });
  for (const n of [1, 33, 64, 100])
    cases.push(
      [
        `${n} values to quantize`,
        "quantize",
        [floats([n], noise(6)), { ...ints([Math.ceil(n / 2)], () => 0), dtype: "u8" }, output(Math.ceil(n / 64))],
        2,
        { format },
      ],
      [`${n} values to unpack`, "dequantize", [...quantized([1, n], format, 7), output(1, n)], 1, { format }],
      [`rows of ${n} to unpack`, "qembedding", [ints([3], (i) => i), ...quantized([3, n], format, 7), output(3, n)], 1, { format }],
    );

  it.each(cases)("stay within %s", (_, op, operands, outputs, attrs) => {
    for (let last = 0; last < operands.length; last++) runAtEnd(op, operands, outputs, attrs, last);
  });
});
