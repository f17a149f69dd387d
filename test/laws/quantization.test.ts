// What holds of every 4-bit format. The bits themselves are compared with core's arithmetic in ops/quantize.cases.ts, and that with bitsandbytes in core.
import { dequantize, embedding, matmul, namedFormat, qembedding, qmatmul, quantize } from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { holds, ids, normals, sizes } from "../arbitraries.ts";
import { compute } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { describeOnBackends } from "../on-backends.ts";
import { formats } from "../ops/quantize.cases.ts";
import { map } from "../value.ts";

const plainFormats = formats.map(({ name, blockSize }) => namedFormat(name, { blockSize, doubleQuant: false }));
const matrices = fc.tuple(sizes(9, 1), sizes(70, 1)).chain(([m, n]) => normals([m, n]));

describeOnBackends("a 4-bit format", (backend) => {
  test("moves a weight by at most half a step of its code book times its block's largest", () =>
    holds(fc.tuple(plainFormats, matrices), async ([format, x]) => {
      const [y] = await compute(backend(), [x], (t) => dequantize(quantize(t!, format)));
      const values = [...new Set(format.codeBook)].sort((a, b) => a - b);
      const halfStep = Math.max(...values.slice(1).map((v, i) => v - values[i]!)) / 2;
      const clipped = Math.max(1 - values.at(-1)!, values[0]! + 1); // where the book does not reach ±1
      x.data.forEach((v, i) => {
        const block = x.data.slice(Math.floor(i / format.blockSize) * format.blockSize).slice(0, format.blockSize);
        const largest = Math.max(...block.map(Math.abs));
        expect(Math.abs(v - y!.data[i]!)).toBeLessThanOrEqual(largest * Math.max(halfStep, clipped) * (1 + 1e-6));
      });
    }));

  test("quantizes what it gave back to the same codes and values", () =>
    holds(fc.tuple(plainFormats, matrices), async ([format, x]) => {
      const [once, twice] = await compute(backend(), [x], (t) => {
        const y = dequantize(quantize(t!, format));
        return [y, dequantize(quantize(y, format))];
      });
      expect(twice).toEqual(once);
    }));

  test("does not see powers of two: codes stay, scales follow", () =>
    holds(fc.tuple(plainFormats, matrices, fc.integer({ min: -20, max: 20 })), async ([format, x, power]) => {
      const factor = 2 ** power;
      const [codes, absmax] = await compute(backend(), [x], (t) => quantize(t!, format).tensors());
      const [codes2, absmax2] = await compute(backend(), [map(x, (v) => v * factor)], (t) => quantize(t!, format).tensors());
      expect(codes2).toEqual(codes);
      expect(absmax2).toEqual(map(absmax!, (v) => v * factor));
    }));

  test("multiplies and embeds as the values it stands for", () =>
    holds(
      fc
        .tuple(formats, sizes(9, 1), sizes(70, 1))
        .chain(([format, m, n]) => fc.tuple(fc.constant(format), normals([3, n]), normals([m, n]), ids([4], m))),
      async ([format, x, w, index]) => {
        const [product, dense, rows, denseRows] = await compute(backend(), [x, w, index], (t, weight, i) => {
          const q = quantize(weight!, format);
          return [qmatmul(t!, q), matmul(t!, dequantize(q), { transposeB: true }), qembedding(i!, q), embedding(i!, dequantize(q))];
        });
        expectClose(product!, dense!, { absolute: 1e-5, relative: 1e-5 }, "the product");
        expect(rows).toEqual(denseRows);
      },
    ));
});
