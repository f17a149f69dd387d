// What holds of ops together, whatever their numbers.
import {
  add,
  addScalar,
  attention,
  broadcastShapes,
  broadcastTo,
  concat,
  exp,
  gather,
  logSoftmax,
  matmul,
  mul,
  pad,
  permute,
  reshape,
  rmsNorm,
  rope,
  scale,
  scatter,
  slice,
  softmax,
  split,
  sum,
  sumTo,
  transpose,
} from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { broadcastable, holds, ids, normals, PROPERTY, shapes, sizes } from "../arbitraries.ts";
import { compute } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { describeOnBackends } from "../on-backends.ts";
import { fill, map, type Value } from "../value.ts";

const LOOSE = { absolute: 2e-5, relative: 2e-5 };

describe("shapes", () => {
  test("broadcasting is commutative, associative, and idempotent", () => {
    fc.assert(
      fc.property(broadcastable(3), ([a, b, c]) => {
        const both = broadcastShapes("law", a!, b!);
        expect(broadcastShapes("law", b!, a!)).toEqual(both);
        expect(broadcastShapes("law", both, both)).toEqual(both);
        expect(broadcastShapes("law", both, c!)).toEqual(broadcastShapes("law", a!, broadcastShapes("law", b!, c!)));
      }),
      PROPERTY,
    );
  });
});

describeOnBackends("rearranging", (backend) => {
  test("reshaping back gives the same tensor", () =>
    holds(
      shapes().chain((shape) => normals(shape)),
      async (x) => {
        const [same] = await compute(backend(), [x], (t) => reshape(reshape(t, [x.data.length]), x.shape));
        expect(same).toEqual(x);
      },
    ));

  test("permuting by an order and then by its inverse gives the same tensor", () =>
    holds(
      shapes({ maxRank: 5, maxSize: 4 }).chain((shape) => {
        const axes = shape.map((_, d) => d);
        return fc.tuple(normals(shape), fc.shuffledSubarray(axes, { minLength: axes.length }));
      }),
      async ([x, order]) => {
        const inverse = order.map((_, d) => order.indexOf(d));
        const [same] = await compute(backend(), [x], (t) => permute(permute(t, order), inverse));
        expect(same).toEqual(x);
      },
    ));

  test("joining what was split gives the same tensor", () =>
    holds(
      fc.tuple(sizes(4), sizes(4), sizes(4), sizes(3)).chain(([a, b, c, n]) => fc.tuple(normals([n, a + b + c]), fc.constant([a, b, c]))),
      async ([x, parts]) => {
        const [same] = await compute(backend(), [x], (t) => concat(split(t, 1, parts), 1));
        expect(same).toEqual(x);
      },
    ));

  test("cutting off what was padded gives the same tensor", () =>
    holds(
      fc
        .tuple(shapes({ minRank: 1 }), sizes(3), sizes(3))
        .chain(([shape, before, after]) => fc.tuple(normals(shape), fc.constant([before, after] as const))),
      async ([x, [before, after]]) => {
        const [same] = await compute(backend(), [x], (t) => slice(pad(t, 0, before, after), 0, before, before + x.shape[0]!));
        expect(same).toEqual(x);
      },
    ));

  test("gathering what was scattered gives the same tensor", () =>
    holds(
      fc.tuple(shapes({ maxRank: 3 }), sizes(6, 1)).chain(([shape, size]) => fc.tuple(normals(shape), ids(shape, size), fc.constant(size))),
      async ([x, index, size]) => {
        const [same] = await compute(backend(), [x, index], (t, i) => gather(scatter(t, i, size), i));
        expect(same).toEqual(x);
      },
    ));

  test("summing what was repeated multiplies by how often", () =>
    holds(
      sizes(6).chain((times) => fc.tuple(normals([3, 1]), fc.constant(times))),
      async ([x, times]) => {
        const [got] = await compute(backend(), [x], (t) => sumTo(broadcastTo(t, [2, 3, times]), [3, 1]));
        expectClose(
          got!,
          map(x, (v) => v * 2 * times),
          LOOSE,
          "the sum",
        );
      },
    ));
});

describeOnBackends("arithmetic", (backend) => {
  test("adding and multiplying do not depend on the order of two", () =>
    holds(
      broadcastable(2).chain(([a, b]) => fc.tuple(normals(a!), normals(b!))),
      async (inputs) => {
        const [ab, ba, times, timesBack] = await compute(backend(), inputs, (a, b) => [add(a!, b!), add(b!, a!), mul(a!, b!), mul(b!, a!)]);
        expect(ab).toEqual(ba);
        expect(times).toEqual(timesBack);
      },
    ));

  const pairs = fc.tuple(sizes(8), sizes(8), sizes(8)).chain(([m, k, n]) => fc.tuple(normals([m, k]), normals([k, n]), normals([k, n])));

  test("a product distributes over a sum", () =>
    holds(pairs, async (inputs) => {
      const [together, apart] = await compute(backend(), inputs, (a, b, c) => [
        matmul(a!, add(b!, c!)),
        add(matmul(a!, b!), matmul(a!, c!)),
      ]);
      expectClose(together!, apart!, LOOSE, "a·(b + c)");
    }));

  test("a product transposed is the product of the transposed in reverse", () =>
    holds(pairs, async (inputs) => {
      const [one, other] = await compute(backend(), inputs, (a, b) => [
        transpose(matmul(a!, b!)),
        matmul(b!, a!, { transposeA: true, transposeB: true }),
      ]);
      expectClose(one!, other!, LOOSE, "(a·b)ᵀ");
    }));

  test("the identity matrix changes no bit", () =>
    holds(
      fc.tuple(sizes(20), sizes(20)).chain(([m, n]) => normals([m, n])),
      async (x) => {
        const n = x.shape[1]!;
        const [same] = await compute(backend(), [x, fill([n, n], (i, j) => (i === j ? 1 : 0))], (t, eye) => matmul(t!, eye!));
        expect(same).toEqual(x);
      },
    ));
});

describeOnBackends("softmax", (backend) => {
  const rows = fc.tuple(shapes({ maxRank: 2 }), sizes(9, 1)).chain(([shape, n]) => normals([...shape, n], 4));

  test("sums to 1 over each row", () =>
    holds(rows, async (x) => {
      const [sums] = await compute(backend(), [x], (t) => sum(softmax(t!), { axis: -1 }));
      expectClose(
        sums!,
        fill(x.shape.slice(0, -1), () => 1),
        { absolute: 1e-6, relative: 0 },
        "the sum of a row",
      );
    }));

  test("does not see what is added to a whole row", () =>
    holds(rows, async (x) => {
      const [moved, still] = await compute(backend(), [x], (t) => [softmax(addScalar(t!, 8)), softmax(t!)]);
      expectClose(moved!, still!, LOOSE, "softmax(x + 8)");
    }));

  test("is the exponential of logSoftmax", () =>
    holds(rows, async (x) => {
      const [one, other] = await compute(backend(), [x], (t) => [exp(logSoftmax(t!)), softmax(t!)]);
      expectClose(one!, other!, { absolute: 2e-6, relative: 1e-5 }, "e^logSoftmax");
    }));
});

/** cos or sin of p·1000^(−i/half) for positions p. */
const table = (positions: number, half: number, f: (angle: number) => number): Value =>
  fill([positions, half], (p, i) => Math.fround(f(p! * 1000 ** (-i! / half))));
const tables = (positions: number, half: number): Value[] => [table(positions, half, Math.cos), table(positions, half, Math.sin)];

describeOnBackends("layers", (backend) => {
  test("rmsNorm does not see the scale of a row", () =>
    holds(
      sizes(12, 1).chain((n) => fc.tuple(normals([3, n]), normals([n]))),
      async (inputs) => {
        const [scaled, plain] = await compute(backend(), inputs, (x, w) => [rmsNorm(scale(x!, 64), w!, 0), rmsNorm(x!, w!, 0)]);
        expectClose(scaled!, plain!, LOOSE, "rmsNorm(64·x)");
      },
    ));

  test("rope keeps the length of every vector", () =>
    holds(fc.tuple(normals([2, 3, 2, 8]), ids([2, 3], 50)), async ([x, positions]) => {
      const [turned, still] = await compute(backend(), [x, ...tables(50, 4), positions], (t, c, s, p) => [
        sum(mul(rope(t!, c!, s!, p!), rope(t!, c!, s!, p!)), { axis: -1 }),
        sum(mul(t!, t!), { axis: -1 }),
      ]);
      expectClose(turned!, still!, LOOSE, "the length");
    }));

  test("rope makes products of queries and keys depend on their distance alone", () =>
    holds(fc.tuple(normals([1, 1, 1, 8]), normals([1, 1, 1, 8]), fc.nat(20), fc.nat(20), fc.nat(20)), async ([q, k, m, n, shift]) => {
      const at = (p: number): Value => fill([1, 1], () => p, "i32");
      const inputs = [q, k, ...tables(64, 4), at(m), at(n), at(m + shift), at(n + shift)];
      const [near, far] = await compute(backend(), inputs, (qs, ks, c, s, m0, n0, m1, n1) => [
        sum(mul(rope(qs!, c!, s!, m0!), rope(ks!, c!, s!, n0!))),
        sum(mul(rope(qs!, c!, s!, m1!), rope(ks!, c!, s!, n1!))),
      ]);
      expectClose(near!, far!, { absolute: 1e-4, relative: 1e-4 }, "the product");
    }));

  test("attention to one key gives its value", () =>
    holds(fc.tuple(normals([2, 1, 4, 3]), normals([2, 1, 2, 3]), normals([2, 1, 2, 3])), async ([q, k, v]) => {
      const [y] = await compute(backend(), [q, k, v, fill([2], () => 0, "i32")], (...t) =>
        attention(t[0]!, t[1]!, t[2]!, t[3]!, { scale: 1, offset: 0 }),
      );
      expect(y).toEqual(fill([2, 1, 4, 3], (b, _, h, i) => v.data[(b! * 2 + Math.floor(h! / 2)) * 3 + i!]!));
    }));

  test("attention a token at a time over cached keys is attention at once", () =>
    holds(fc.tuple(normals([1, 4, 2, 5]), normals([1, 4, 2, 5]), normals([1, 4, 2, 5])), async ([q, k, v]) => {
      const [whole, steps] = await compute(backend(), [q, k, v, fill([1], () => 0, "i32")], (qs, ks, vs, starts) => [
        attention(qs!, ks!, vs!, starts!, { scale: 0.4, offset: 0 }),
        concat(
          [0, 1, 2, 3].map((t) => attention(slice(qs!, 1, t, t + 1), ks!, vs!, starts!, { scale: 0.4, offset: t })),
          1,
        ),
      ]);
      expectClose(steps!, whole!, { absolute: 1e-6, relative: 1e-5 }, "a token at a time");
    }));
});
