// Reverse-mode differentiation: what arrives where, and what is freed when. What is refused: tape-refusals.test.ts.
import {
  add,
  addScalar,
  type Backend,
  broadcastTo,
  concat,
  DeviceError,
  grad,
  isTracked,
  matmul,
  maximum,
  mul,
  nf4,
  noGrad,
  parameter,
  qmatmul,
  quantize,
  relu,
  reshape,
  scale,
  scope,
  softmax,
  split,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { broadcastable, holds, normals } from "../arbitraries.ts";
import { compute, gradientsOf, readAll } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { describeOnBackends } from "../on-backends.ts";
import { fill, input } from "../value.ts";

const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };
const numbers = async (tensors: readonly Tensor[]): Promise<number[][]> => (await readAll(tensors)).map(({ data }) => [...data]);

describeOnBackends("grad", (backend) => {
  const vector = (b: Backend, ...values: number[]): Tensor => tensor(b, values);

  test("sums what arrives at a value that is used twice", async () => {
    const [g] = await gradientsOf(backend(), [input([1, 2, 3])], (x) => sum(add(mul(x!, x!), x!)));
    expect(g!.data).toEqual([3, 5, 7]);
  });

  test("sums over many uses, and along paths of different length", async () => {
    const [g] = await gradientsOf(backend(), [input([2])], (x) => {
      let y = x!;
      for (let i = 0; i < 10; i++) y = add(y, x!);
      return sum(mul(y, square(x!))); // 11·x³
    });
    expect(g!.data).toEqual([132]);
  });

  test("sums over what was broadcast, whatever the shapes", () =>
    holds(
      broadcastable(2).chain(([a, b]) => fc.tuple(normals(a!), normals(b!))),
      async ([a, b]) => {
        const [ga, gb] = await gradientsOf(backend(), [a, b], (x, y) => sum(mul(x!, y!)));
        const { shape } = (await compute(backend(), [a, b], (x, y) => add(x!, y!)))[0]!;
        const [sumA, sumB] = await gradientsOf(backend(), [a, b], (x, y) => sum(mul(broadcastTo(x!, shape), broadcastTo(y!, shape))));
        expect([ga!.shape, gb!.shape]).toEqual([a.shape, b.shape]);
        expectClose(ga!, sumA!, TOLERANCE, "the gradient of the left");
        expectClose(gb!, sumB!, TOLERANCE, "the gradient of the right");
      },
    ));

  test("is linear in the seed", () =>
    holds(fc.tuple(normals([3, 4]), normals([3, 4]), normals([3, 4])), async ([x, s, t]) => {
      const found = scope(backend(), () => {
        const [p, first, second] = [x, s, t].map(({ data, shape }) => tensor(backend(), data, shape)) as [Tensor, Tensor, Tensor];
        const tracked = parameter(p);
        const y = softmax(tracked);
        const gradOf = (seed: Tensor): Tensor => grad(y, [tracked], { seed, retain: true })[0]!;
        return [gradOf(add(first, second)), add(gradOf(first), gradOf(second))];
      });
      const [together, apart] = await readAll(found);
      expectClose(together!, apart!, TOLERANCE, "the gradient of both seeds");
    }));

  test("gives gradients in the order asked, also of values on the way", async () => {
    const found = scope(backend(), () => {
      const a = parameter(vector(backend(), 2));
      const b = parameter(vector(backend(), 5));
      const product = mul(a, b);
      return grad(sum(square(product)), [b, product, a]);
    });
    expect(await numbers(found)).toEqual([[40], [20], [100]]);
  });

  test("gives the same parameter twice when asked twice, and 1 for the loss itself", async () => {
    const found = scope(backend(), () => {
      const x = parameter(vector(backend(), 3));
      const loss = sum(square(x));
      return grad(loss, [x, x, loss]);
    });
    expect(await numbers(found)).toEqual([[6], [6], [1]]);
    const [own] = await numbers(
      scope(backend(), () => {
        const x = parameter(vector(backend(), 3));
        return grad(x, [x]);
      }),
    );
    expect(own).toEqual([1]);
  });

  test("can be asked again with retain, and not once a tape was let go of", async () => {
    const x = scope(backend(), () => parameter(vector(backend(), 1, 2)));
    const loss = scope(backend(), () => sum(mul(square(x), x)));
    const first = grad(loss, [x], { retain: true });
    const second = grad(loss, [x]);
    expect(() => grad(loss, [x])).toThrow(DeviceError);
    for (const t of [loss, x]) t.dispose();
    expect(await numbers([...first, ...second])).toEqual([
      [3, 12],
      [3, 12],
    ]);
  });

  test("frees what the tape held as it passes", () => {
    scope(backend(), () => {
      const x = parameter(zeros(backend(), [1000]));
      const loss = scope(backend(), () => {
        let y = x;
        for (let i = 0; i < 20; i++) y = square(y);
        return sum(y);
      });
      const before = backend().memory().liveBuffers;
      expect(before).toBeGreaterThan(20);
      const [g] = grad(loss, [x]);
      expect(backend().memory().liveBuffers).toBe(3); // x, the loss and its gradient
      expect(g!.shape).toEqual([1000]);
    });
  });

  test("runs no rule for what no asked parameter lies behind", async () => {
    const runs: string[] = [];
    const watched = Object.create(backend(), {
      run: {
        value: (op: string, ...rest: [never, never, never]) => {
          runs.push(op);
          backend().run(op, ...rest);
        },
      },
      memory: { value: () => backend().memory() },
      alloc: { value: (n: number) => backend().alloc(n) },
      free: { value: (buffer: never) => backend().free(buffer) },
      write: { value: (buffer: never, bytes: Uint8Array) => backend().write(buffer, bytes) },
      read: { value: (buffer: never, ...rest: [never]) => backend().read(buffer, ...rest) },
    }) as Backend;
    const found = scope(watched, () => {
      const a = parameter(zeros(watched, [2, 2]));
      const b = parameter(zeros(watched, [2, 2]));
      const loss = sum(matmul(matmul(a, b), b));
      runs.length = 0;
      return grad(loss, [a]);
    });
    expect(runs.filter((op) => op === "matmul").length).toBe(2); // dA of each product, no dB
    await readAll(found);
  });

  test("takes part in no further gradient: gradients and what is made without recording are constants", async () => {
    const found = scope(backend(), () => {
      const x = parameter(vector(backend(), 3));
      const [g] = grad(sum(square(x)), [x]);
      expect(isTracked(g!)).toBe(false);
      expect(isTracked(noGrad(backend(), () => square(x)))).toBe(false);
      expect(isTracked(square(x.detach()))).toBe(false);
      return grad(sum(mul(x, x.detach())), [x]);
    });
    expect(await numbers(found)).toEqual([[3]]);
  });

  test("goes through views, parts and joins", async () => {
    const [g] = await gradientsOf(backend(), [input([1, 2, 3, 4, 5, 6])], (x) => {
      const [left, right] = split(reshape(x!, [2, 3]), 1, [1, 2]);
      return sum(square(concat([right!, scale(left!, 10)], 1)));
    });
    expect(g!.data).toEqual([200, 4, 6, 800, 10, 12]);
  });

  test("goes to the first of two equal numbers in maximum, to none in relu at 0, and to one side of where", async () => {
    const ones = input([1, 1]);
    expect((await gradientsOf(backend(), [ones, ones], (a, b) => sum(maximum(a!, b!)))).map(({ data }) => data)).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect((await gradientsOf(backend(), [input([0, -1, 1])], (x) => sum(relu(x!))))[0]!.data).toEqual([0, 0, 1]);
    const sides = await gradientsOf(backend(), [input([1, 0]), ones, ones], (m, a, b) => sum(where(m!, a!, b!)), [1, 2]);
    expect(sides.map(({ data }) => data)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test("flows through a quantized product to what it multiplies, and never to the weight", async () => {
    const [g] = await gradientsOf(
      backend(),
      [fill([1, 2], () => 1), fill([3, 2], (o, i) => (i ? 1 : o! - 1))],
      (x, w) => sum(qmatmul(x!, quantize(w!, nf4({ doubleQuant: false })))),
      [0],
    );
    expect(g!.data).toEqual([0, 3]);
  });

  test("of tensors without elements is without elements", async () => {
    const [g] = await gradientsOf(backend(), [fill([0, 3], () => 0)], (x) => sum(square(softmax(x!))));
    expect(g).toEqual(fill([0, 3], () => 0));
  });

  test("walks a tape of ten thousand ops", async () => {
    const [g] = await gradientsOf(backend(), [input([1])], (x) => {
      let y = x!;
      for (let i = 0; i < 10_000; i++) y = i % 2 ? sub(y, x!) : addScalar(y, 1);
      return sum(y);
    });
    expect(g!.data).toEqual([-4999]);
  });
});
