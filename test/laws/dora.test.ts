// DoRA over dense and quantized layers: nothing at the start, the rows' lengths as trained, and gradients that take the measured lengths for constants.
import { dequantize, key, mul, nf4, quantize, scale, sum, type Tensor } from "@qlora-js/core";
import { DenseLinear, DoraLinear, type Linear, QuantizedLinear } from "@qlora-js/qlora";
import fc from "fast-check";
import { expect, test } from "vitest";
import { holds, normals, sizes } from "../arbitraries.ts";
import { compute, gradientsOf } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { centralDifferences } from "../gradcheck.ts";
import { describeOnBackends } from "../on-backends.ts";
import { at, fill, total, type Value } from "../value.ts";

const EVALUATION = { dropoutKey: null };
const options = { scale: 0.5, dropout: 0.25, site: 3 };
const layersUpTo = (widest: number) =>
  fc
    .record({ rows: sizes(4, 1), from: sizes(widest, 1), to: sizes(Math.ceil(widest / 2), 1), rank: sizes(4, 1) })
    .chain(({ rows, from, to, rank }) =>
      fc.tuple(normals([rows, from]), normals([to, from]), normals([rank, from]), normals([to, rank]), normals([to]), normals([to])),
    );
const layers = layersUpTo(40);

/** m / ‖W + s·B·A‖ · (W + s·B·A)·x + bias, in float64; `lengths` are those the rows are divided by, which a gradient takes for constants. */
function dora([x, w, a, b, m, bias]: readonly Value[], lengths: Value): Value {
  const [to, from] = w!.shape as [number, number];
  const adapted = adaptedWeight(w!, a!, b!);
  return fill(
    [x!.shape[0]!, to],
    (r, j) => (at(m!, j) / at(lengths, j)) * total(from, (i) => at(adapted, j, i) * at(x!, r, i)) + at(bias!, j),
  );
}

const adaptedWeight = (w: Value, a: Value, b: Value): Value =>
  fill(w.shape, (j, i) => at(w, j, i) + options.scale * total(a.shape[0]!, (k) => at(b, j, k) * at(a, k, i)));
const lengthsOf = (w: Value): Value => fill([w.shape[0]!], (j) => Math.sqrt(total(w.shape[1]!, (i) => at(w, j, i) ** 2)));

for (const kind of ["dense", "quantized"] as const) {
  const baseOf = (w: Tensor, bias: Tensor | null = null): Linear =>
    kind === "dense" ? new DenseLinear(w, bias) : new QuantizedLinear(quantize(w, nf4()), bias);
  const valuesOf = (w: Tensor): Tensor => (kind === "dense" ? scale(w, 1) : dequantize(quantize(w, nf4())));

  describeOnBackends(`DoRA over a ${kind} layer`, (backend) => {
    test("with B of zeros and the rows' own lengths gives the layer's outputs", () =>
      holds(layers, async ([x, w, a, b, , bias]) => {
        const zeroB = fill(b.shape, () => 0);
        const [adapted, plain] = await compute(backend(), [x, w, a, zeroB, bias], (tx, tw, ta, tb, tbias) => {
          const base = baseOf(tw!, tbias!);
          return [new DoraLinear(base, ta!, tb!, null, options).forward(tx!, EVALUATION).detach(), base.forward(tx!, EVALUATION)];
        });
        expectClose(adapted!, plain!, { absolute: 1e-5, relative: 1e-5 }, "the layer");
      }));

    test("computes its formula, an addend on top", () =>
      holds(layers, async (inputs) => {
        const [x, w, a, b] = inputs;
        const residual = fill([x.shape[0]!, w.shape[0]!], (r, j) => Math.sin(r + 3 * j));
        const [y, wide] = await compute(backend(), [...inputs, residual], (tx, tw, ta, tb, tm, tbias, tr) => [
          new DoraLinear(baseOf(tw!, tbias!), ta!, tb!, tm!, options).forward(tx!, EVALUATION, tr!),
          valuesOf(tw!),
        ]);
        const expected = dora([x, wide!, a, b, inputs[4], inputs[5]], lengthsOf(adaptedWeight(wide!, a, b)));
        expectClose(
          y!,
          fill(expected.shape, (r, j) => at(expected, r, j) + at(residual, r, j)),
          { absolute: 2e-4, relative: 5e-5 },
          "y",
        );
      }));

    test("has the gradients of central differences, the measured lengths held", () =>
      holds(layersUpTo(12), async (inputs) => {
        const [x, w, a, b, m, bias] = inputs;
        const seed = fill([x.shape[0]!, w.shape[0]!], (r, j) => Math.cos(5 * r + j));
        const [wide] = await compute(backend(), [w], (tw) => valuesOf(tw!));
        const found = await gradientsOf(
          backend(),
          [a, b, m, x, w, bias, seed],
          (ta, tb, tm, tx, tw, tbias, ts) =>
            sum(mul(new DoraLinear(baseOf(tw!, tbias!), ta!, tb!, tm!, options).forward(tx!, EVALUATION), ts!)),
          [0, 1, 2, 3],
        );
        const lengths = lengthsOf(adaptedWeight(wide!, a, b));
        for (const [i, position] of [2, 3, 4, 0].entries()) {
          const expected = centralDifferences((v) => [dora(v, lengths)], [x, wide!, a, b, m, bias], position, [seed]);
          expectClose(found[i]!, expected, { absolute: 1e-3, relative: 1e-4 }, ["dA", "dB", "dm", "dx"][i]!);
        }
      }));

    test("drops inputs of all but the layer's own product, as PEFT does", () =>
      holds(layers, async ([x, w, a, b, m]) => {
        const [dropped, same, start, plain] = await compute(
          backend(),
          [x, w, a, b, m, fill(b.shape, () => 0)],
          (tx, tw, ta, tb, tm, tz) => {
            const base = baseOf(tw!);
            const at5 = { dropoutKey: key(5) };
            return [
              new DoraLinear(base, ta!, tb!, tm!, options).forward(tx!, at5),
              new DoraLinear(base, ta!, tb!, tm!, options).forward(tx!, at5),
              new DoraLinear(base, ta!, tz!, null, options).forward(tx!, at5).detach(),
              base.forward(tx!, EVALUATION),
            ];
          },
        );
        expect(same).toEqual(dropped);
        // with the rows' own lengths, what is dropped is multiplied by nothing
        expectClose(start!, plain!, { absolute: 2e-5, relative: 2e-5 }, "the layer");
      }));
  });
}
