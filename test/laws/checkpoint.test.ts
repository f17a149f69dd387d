// Recomputation changes memory, never a bit.
import {
  add,
  type Backend,
  checkpoint,
  DeviceError,
  dropout,
  exp,
  fold,
  GradientError,
  grad,
  key,
  matmul,
  mul,
  neg,
  nf4,
  noGrad,
  parameter,
  qmatmul,
  quantize,
  reshape,
  rmsNorm,
  scope,
  softmax,
  square,
  sum,
  swiglu,
  type Tensor,
} from "@qlora-js/core";
import { expect, test } from "vitest";
import { readAll } from "../compute.ts";
import { expectClose } from "../conformance.ts";
import { describeOnBackends } from "../on-backends.ts";
import { fill, upload, type Value } from "../value.ts";

const wave = (shape: number[], step: number): Value => {
  const { data } = fill(shape, () => 0);
  return { shape, dtype: "f32", data: data.map((_, i) => Math.fround(Math.sin(i * step + step))) };
};

/** Two blocks of products (inner size 64: dear), norms, dropout and a frozen quantized weight; all parameters but x are closed over. */
function network(b: Backend): { params: Tensor[]; loss: (block: (fn: (h: Tensor) => Tensor, h: Tensor) => Tensor) => Tensor } {
  const x = parameter(upload(b, wave([3, 64], 0.3)));
  const weights = [0.1, 0.7].map((step) => parameter(upload(b, wave([64, 64], step))));
  const gains = [0.2, 0.4].map((step) => parameter(upload(b, wave([64], step))));
  const frozen = quantize(upload(b, wave([64, 64], 0.9)), nf4());
  const layer = (i: number) => (h: Tensor) => {
    const normed = rmsNorm(h, gains[i]!, 1e-5);
    const dropped = dropout(normed, 0.25, fold(key(5), i));
    return add(h, swiglu(matmul(dropped, weights[i]!), qmatmul(normed, frozen)));
  };
  return {
    params: [x, ...weights, ...gains],
    loss: (block) => {
      let h = x;
      for (const i of [0, 1]) h = block(layer(i), h);
      return sum(square(softmax(h)));
    },
  };
}

describeOnBackends("checkpoint", (backend) => {
  const gradients = (block: (fn: (h: Tensor) => Tensor, h: Tensor) => Tensor): Promise<Value[]> =>
    readAll(
      scope(backend(), () => {
        const { params, loss } = network(backend());
        const value = loss(block);
        return [value, ...grad(value, params)];
      }),
    );
  const plain = (fn: (h: Tensor) => Tensor, h: Tensor): Tensor => fn(h);
  const variants = {
    "with products recomputed": (fn: (h: Tensor) => Tensor, h: Tensor) => checkpoint(fn, [h]),
    "with products kept": (fn: (h: Tensor) => Tensor, h: Tensor) => checkpoint(fn, [h], { keepProducts: true }),
    "within another checkpoint": (fn: (h: Tensor) => Tensor, h: Tensor) => checkpoint((outer) => checkpoint(fn, [outer]), [h]),
    "of both blocks, kept and not": (fn: (h: Tensor) => Tensor, h: Tensor) =>
      checkpoint((outer) => checkpoint(fn, [outer]), [h], { keepProducts: true }),
  };
  for (const [title, block] of Object.entries(variants)) {
    test(`gives the bits of loss and gradients that there are without, ${title}`, async () => {
      expect(await gradients(block)).toEqual(await gradients(plain));
    });
  }

  test("holds less while the loss is waited with, and least when products are recomputed", () => {
    const held = (block: (fn: (h: Tensor) => Tensor, h: Tensor) => Tensor): number =>
      scope(backend(), () => {
        const { loss } = network(backend());
        const before = backend().memory().liveBytes;
        const value = scope(backend(), () => loss(block));
        return (value.shape.length ? Number.NaN : backend().memory().liveBytes) - before;
      });
    const whole = held(plain);
    const kept = held(variants["with products kept"]);
    const least = held(variants["with products recomputed"]);
    expect(least).toBeLessThan(kept);
    expect(kept).toBeLessThan(whole);
  });

  test("runs the products of a block once when they are kept, twice when not", () => {
    const count = (keepProducts: boolean): number => {
      let products = 0;
      const own = backend();
      const counting: Backend = {
        name: own.name,
        limits: own.limits,
        alloc: (n) => own.alloc(n),
        free: (buffer) => own.free(buffer),
        write: (...write) => own.write(...write),
        read: (...read) => own.read(...read),
        run: (op, ...rest) => {
          if (op === "matmul") products++;
          own.run(op, ...rest);
        },
        flush: () => own.flush(),
        memory: () => own.memory(),
        resetPeak: () => own.resetPeak(),
        dispose: () => {},
      };
      scope(counting, () => {
        const x = parameter(upload(counting, wave([2, 64], 0.3)));
        const w = upload(counting, wave([64, 64], 0.5));
        const loss = sum(checkpoint((h) => exp(matmul(h, w)), [x], { keepProducts }));
        grad(loss, [x]).map((g) => g.dispose());
      });
      return products;
    };
    expect(count(true)).toBe(2); // forward, and dX
    expect(count(false)).toBe(3);
  });

  test("gives gradients by each of several inputs, and by one that is used twice and again outside", async () => {
    type Three = (p: Tensor, q: Tensor, r: Tensor) => Tensor;
    const run = (block: (fn: Three, inputs: [Tensor, Tensor, Tensor]) => Tensor): Promise<Value[]> =>
      readAll(
        scope(backend(), () => {
          const [a, b] = [wave([4], 0.3), wave([4], 0.8)].map((v) => parameter(upload(backend(), v))) as [Tensor, Tensor];
          const y = block((p, q, r) => mul(exp(p), mul(q, r)), [a, b, a]);
          return grad(sum(mul(y, a)), [a, b]);
        }),
      );
    const [recomputed, without] = [await run(checkpoint), await run((fn, inputs) => fn(...inputs))];
    // three gradients arrive at a, in another order: the last bit may differ
    recomputed.forEach((g, i) => {
      expectClose(g, without[i]!, { absolute: 0, relative: 2e-7 }, `gradient ${i}`);
    });
  });

  test("passes inputs on that need no gradient, and leaves them as they are", async () => {
    const found = scope(backend(), () => {
      const x = parameter(upload(backend(), wave([4], 0.3)));
      const constant = upload(backend(), wave([4], 0.8));
      const loss = sum(checkpoint((p, c) => mul(square(p), c), [x, constant] as const));
      return [...grad(loss, [x]), constant];
    });
    const [g, constant] = await readAll(found);
    expect(constant).toEqual(wave([4], 0.8));
    expect(g!.data.map(Math.fround)).toEqual(wave([4], 0.3).data.map((v, i) => Math.fround(Math.fround(v * 2) * wave([4], 0.8).data[i]!)));
  });

  test("does nothing more than the function where nothing is tracked or recorded", async () => {
    const found = scope(backend(), () => {
      const x = upload(backend(), wave([4], 0.3));
      const untracked = checkpoint(square, [x]);
      const unrecorded = noGrad(backend(), () => checkpoint(square, [parameter(x)]));
      expect([untracked.origin, unrecorded.origin]).toEqual([null, null]);
      return [untracked, unrecorded, square(x)];
    });
    const [a, b, c] = await readAll(found);
    expect([a, b]).toEqual([c, c]);
  });

  test("of a function that returns its argument, a view of it, or what it closes over, consumes nothing", async () => {
    const found = scope(backend(), () => {
      const x = parameter(upload(backend(), wave([4], 0.3)));
      const other = parameter(upload(backend(), wave([4], 0.6)));
      const same = checkpoint((h) => h, [x]);
      const idle = checkpoint(
        (h) => {
          square(h);
          return h;
        },
        [x],
      );
      const view = checkpoint((h) => reshape(h, [2, 2]), [x]);
      const closed = checkpoint((_: Tensor) => other, [x]);
      for (const t of [x, other, same, idle, view, closed]) expect(t.storage.freed).toBe(false);
      return grad(add(sum(mul(idle, closed)), add(sum(same), sum(view))), [x, other]);
    });
    const [gx, gOther] = await readAll(found);
    expect(gx!.data).toEqual(wave([4], 0.6).data.map((v) => Math.fround(v + 2)));
    expect(gOther!.data).toEqual(wave([4], 0.3).data);
  });

  test("can be gone back through twice with retain", async () => {
    const found = scope(backend(), () => {
      const x = parameter(upload(backend(), wave([2, 64], 0.3)));
      const w = upload(backend(), wave([64, 64], 0.5));
      const loss = sum(checkpoint((h) => exp(matmul(h, w)), [x], { keepProducts: true }));
      return [...grad(loss, [x], { retain: true }), ...grad(loss, [x])];
    });
    const [once, twice] = await readAll(found);
    expect(twice).toEqual(once);
  });

  test("says that its tape is gone when it is asked again without", () => {
    scope(backend(), () => {
      const x = parameter(upload(backend(), wave([4], 0.3)));
      const loss = sum(checkpoint((h) => exp(square(h)), [x]));
      grad(loss, [x]);
      expect(() => grad(loss, [x])).toThrow(/retain/);
    });
  });

  const different: Record<string, (turn: number, h: Tensor) => Tensor> = {
    "runs another op": (turn, h) => (turn === 1 ? exp(square(h)) : exp(neg(h))),
    "runs more": (turn, h) => (turn === 1 ? square(h) : square(square(h))),
    "runs less": (turn, h) => (turn === 1 ? square(square(h)) : square(h)),
  };
  for (const [title, fn] of Object.entries(different)) {
    test(`refuses a function that ${title} the second time`, () => {
      expect(() =>
        scope(backend(), () => {
          const x = parameter(upload(backend(), wave([4], 0.3)));
          let turn = 0;
          return grad(sum(checkpoint((h) => fn(++turn, h), [x])), [x]);
        }),
      ).toThrow(GradientError);
    });
  }

  test("frees everything when the function throws, the first time and the second", () => {
    for (const at of [1, 2]) {
      let turn = 0;
      expect(() =>
        scope(backend(), () => {
          const x = parameter(upload(backend(), wave([64, 64], 0.3)));
          const fn = (h: Tensor): Tensor => {
            const product = matmul(h, h);
            if (++turn === at) throw new DeviceError("stop");
            return exp(product);
          };
          return grad(sum(checkpoint(fn, [x], { keepProducts: true })), [x]);
        }),
      ).toThrow(DeviceError);
      expect(backend().memory().liveBuffers).toBe(0);
    }
  });
});
