// LoRA over dense and quantized layers: nothing at the start, and a matrix that can be merged at the end.
import { add, dequantize, key, matmul, nf4, quantize, scale, sum, type Tensor } from "@qlora-js/core";
import { DenseLinear, type Linear, LoraLinear, QuantizedLinear } from "@qlora-js/qlora";
import fc from "fast-check";
import { expect, test } from "vitest";
import { holds, normals, sizes } from "../arbitraries.ts";
import { compute, gradientsOf } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { describeOnBackends } from "../on-backends.ts";
import { fill } from "../value.ts";

const EVALUATION = { dropoutKey: null };
const layers = fc
  .record({ rows: sizes(4, 1), from: sizes(40, 1), to: sizes(20, 1), rank: sizes(4, 1) })
  .chain(({ rows, from, to, rank }) => fc.tuple(normals([rows, from]), normals([to, from]), normals([rank, from]), normals([to, rank])));

for (const kind of ["dense", "quantized"] as const) {
  const baseOf = (w: Tensor): Linear => (kind === "dense" ? new DenseLinear(w) : new QuantizedLinear(quantize(w, nf4())));
  const valuesOf = (w: Tensor): Tensor => (kind === "dense" ? w : dequantize(quantize(w, nf4())));
  const options = { scale: 0.5, dropout: 0.25, site: 3 };

  describeOnBackends(`LoRA over a ${kind} layer`, (backend) => {
    test("with B of zeros gives the layer's own outputs exactly", () =>
      holds(layers, async ([x, w, a, b]) => {
        const zeroB = fill(b.shape, () => 0);
        const [adapted, plain] = await compute(backend(), [x, w, a, zeroB], (...t) => {
          const base = baseOf(t[1]!);
          return [new LoraLinear(base, t[2]!, t[3]!, options).forward(t[0]!, EVALUATION), base.forward(t[0]!, EVALUATION)];
        });
        expect(adapted).toEqual(plain);
      }));

    test("gives what the merged matrix gives", () =>
      holds(layers, async (inputs) => {
        const [adapted, merged] = await compute(backend(), inputs, (x, w, a, b) => {
          const sumOfBoth = add(valuesOf(w!), scale(matmul(b!, a!), options.scale));
          return [new LoraLinear(baseOf(w!), a!, b!, options).forward(x!, EVALUATION), matmul(x!, sumOfBoth, { transposeB: true })];
        });
        expectClose(adapted!, merged!, { absolute: 5e-5, relative: 2e-5 }, "the merged layer");
      }));

    test("trains A only through B, and B from the first step", () =>
      holds(layers, async ([x, w, a, b]) => {
        const zeroB = fill(b.shape, () => 0);
        const [gradA, gradB] = await gradientsOf(
          backend(),
          [a, zeroB, x, w],
          (ta, tb, tx, tw) => sum(new LoraLinear(baseOf(tw!), ta!, tb!, options).forward(tx!, EVALUATION)),
          [0, 1],
        );
        expect(gradA!.data.every((g) => g === 0)).toBe(true);
        expect(gradB!.data.some((g) => g !== 0)).toBe(true);
      }));

    test("drops inputs of its branch only, by key and site", () =>
      holds(layers, async ([x, w, a, b]) => {
        const [one, same, other, zero, plain] = await compute(backend(), [x, w, a, b, fill(b.shape, () => 0)], (tx, tw, ta, tb, tz) => {
          const base = baseOf(tw!);
          const lora = (site: number, matrix: Tensor): Tensor =>
            new LoraLinear(base, ta!, matrix, { ...options, site }).forward(tx!, { dropoutKey: key(5) });
          return [lora(1, tb!), lora(1, tb!), lora(2, tb!), lora(1, tz!), base.forward(tx!, EVALUATION)];
        });
        expect(same).toEqual(one);
        expect(zero).toEqual(plain);
        if (x.data.length > 60) expect(other).not.toEqual(one);
      }));
  });
}
