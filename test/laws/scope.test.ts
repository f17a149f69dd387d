// Who owns memory: scopes, handles, views, and what a tape keeps.

import { createPlainBackend } from "@qlora-js/backend-cpu";
import {
  ArgumentError,
  add,
  type Backend,
  cast,
  DeviceError,
  DTypeError,
  dequantize,
  empty,
  fromBytes,
  grad,
  mul,
  nf4,
  OutOfMemoryError,
  parameter,
  quantize,
  reshape,
  ShapeError,
  scale,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { readAll } from "../compute.ts";
import { describeOnBackends } from "../on-backends.ts";

const buffers = (b: Backend): number => b.memory().liveBuffers;

describeOnBackends("scope", (backend) => {
  test("frees what was made in it, and leaves what it returns to the caller", async () => {
    const kept = scope(backend(), () => {
      const x = tensor(backend(), [1, 2]);
      return scale(add(x, x), 10);
    });
    expect(buffers(backend())).toBe(1);
    expect([...(await kept.read())]).toEqual([20, 40]);
    kept.dispose();
    expect(buffers(backend())).toBe(0);
  });

  test("finds tensors in arrays, maps, objects and quantized tensors that it returns", () => {
    const made = scope(backend(), () => ({
      list: [zeros(backend(), [1]), [zeros(backend(), [1])]],
      map: new Map([["a", zeros(backend(), [1])]]),
      weight: quantize(zeros(backend(), [64]), nf4({ doubleQuant: false })),
      count: 3,
      nothing: null,
      bytes: new Uint8Array(4),
    }));
    expect(buffers(backend())).toBe(5);
    for (const t of [made.list[0] as Tensor, (made.list[1] as Tensor[])[0]!, made.map.get("a")!]) t.dispose();
    made.weight.dispose();
  });

  test("hands what an inner scope returns to the outer one", () => {
    scope(backend(), () => {
      const inner = scope(backend(), () => [zeros(backend(), [1]), zeros(backend(), [1])]);
      expect(buffers(backend())).toBe(2);
      inner[0]!.dispose();
      expect(buffers(backend())).toBe(1);
    });
    expect(buffers(backend())).toBe(0);
  });

  test("leaves what was made outside alone, also when it returns it", () => {
    const outside = zeros(backend(), [1]);
    expect(scope(backend(), () => outside)).toBe(outside);
    scope(backend(), () => {
      add(outside, outside);
    });
    expect(outside.storage.freed).toBe(false);
    outside.dispose();
  });

  test("frees everything when it throws, at every depth", () => {
    class Stop extends Error {}
    expect(() =>
      scope(backend(), () => {
        const x = parameter(zeros(backend(), [10]));
        square(x);
        scope(backend(), () => {
          square(square(x));
          throw new Stop();
        });
      }),
    ).toThrow(Stop);
    expect(buffers(backend())).toBe(0);
    scope(backend(), () => zeros(backend(), [1]).dispose()); // the next scope is not disturbed
  });

  test("refuses a function that returns a promise, and frees what it made", () => {
    expect(() => scope(backend(), async () => zeros(backend(), [3]))).toThrow(ArgumentError);
    expect(buffers(backend())).toBe(0);
  });

  test("keeps what the tape needs of a loss that it returns, until the gradient is taken", async () => {
    const x = scope(backend(), () => parameter(tensor(backend(), [3])));
    const loss = scope(backend(), () => sum(square(square(x))));
    const found = grad(loss, [x]);
    loss.dispose();
    x.dispose();
    expect([...(await readAll(found))[0]!.data]).toEqual([108]);
  });

  test("hands a tape whose loss it does not return to the outer scope, which lets go of it", () => {
    scope(backend(), () => {
      const x = parameter(zeros(backend(), [10]));
      scope(backend(), () => {
        square(square(x));
      });
    });
    expect(buffers(backend())).toBe(0);
  });

  test("in a loop holds no more from one turn to the next", () => {
    const x = scope(backend(), () => parameter(zeros(backend(), [100])));
    for (let turn = 0; turn < 5; turn++) {
      const [g] = scope(backend(), () => grad(sum(square(mul(x, x))), [x]));
      expect(buffers(backend())).toBe(2);
      g!.dispose();
    }
    x.dispose();
  });
});

describeOnBackends("handles", (backend) => {
  test("share bytes, which live until the last is disposed", async () => {
    const x = tensor(backend(), [1, 2, 3, 4]);
    const view = reshape(x, [2, 2]);
    const same = x.retain();
    const tracked = parameter(x);
    expect(buffers(backend())).toBe(1);
    expect([view.storage, same.storage, tracked.storage]).toEqual([x.storage, x.storage, x.storage]);
    for (const t of [x, same, tracked]) t.dispose();
    expect([...(await view.read())]).toEqual([1, 2, 3, 4]);
    view.dispose();
    expect(buffers(backend())).toBe(0);
  });

  test("disposed twice count once", () => {
    const x = zeros(backend(), [2]);
    const other = x.retain();
    x.dispose();
    x.dispose();
    expect(other.storage.freed).toBe(false);
    other.dispose();
    expect(buffers(backend())).toBe(0);
  });

  test("are refused after they were disposed", () => {
    const x = zeros(backend(), [2]);
    x.dispose();
    expect(() => square(x)).toThrow(DeviceError);
    expect(() => x.retain()).toThrow(DeviceError);
    expect(() => reshape(x, [1, 2])).toThrow(DeviceError);
  });

  test("are disposed at the end of their block with using", () => {
    {
      using x = zeros(backend(), [2]);
      expect(x.storage.freed).toBe(false);
    }
    expect(buffers(backend())).toBe(0);
  });

  test("of two backends are not mixed", () => {
    const other = createPlainBackend();
    const [a, b] = [zeros(backend(), [1]), zeros(other, [1])];
    expect(() => add(a, b)).toThrow(DeviceError);
    for (const t of [a, b]) t.dispose();
    other.dispose();
  });

  test("are left as they were by the ops they are given to", async () => {
    const x = tensor(backend(), [1, -2]);
    const same = cast(x, "f32");
    same.dispose();
    scope(backend(), () => void square(x));
    expect([...(await x.read())]).toEqual([1, -2]);
    x.dispose();
  });
});

describeOnBackends("tensors", (backend) => {
  test("read back what was written, in every dtype", async () => {
    const cases = {
      f32: [0, -0, 1.5, 2 ** 127, Number.NaN],
      f16: [0, 1.5, 65504],
      bf16: [0, 1.5, -3],
      i32: [-(2 ** 31), 7],
      u8: [0, 255],
    } as const;
    for (const [dtype, values] of Object.entries(cases) as [keyof typeof cases, readonly number[]][]) {
      const t = tensor(backend(), values, [values.length], dtype);
      const read = dtype === "i32" || dtype === "u8" ? await t.readInts() : await t.read();
      expect([...read]).toEqual([...values]);
      const copy = fromBytes(backend(), await t.readBytes(), t.shape, dtype);
      expect(await copy.readBytes()).toEqual(await t.readBytes());
      for (const own of [t, copy]) own.dispose();
    }
  });

  test("of no elements are made, read and freed", async () => {
    const t = zeros(backend(), [3, 0, 2]);
    expect(await t.read()).toEqual(new Float32Array());
    t.dispose();
  });

  test("refuse values that do not fill the shape or the dtype, and readings that do not fit", async () => {
    expect(() => tensor(backend(), [1, 2, 3], [2])).toThrow(ShapeError);
    expect(() => tensor(backend(), [1, 2], [-1, -2])).toThrow(ShapeError);
    expect(() => tensor(backend(), [1.5], [1], "i32")).toThrow(ArgumentError);
    expect(() => tensor(backend(), [256], [1], "u8")).toThrow(ArgumentError);
    expect(() => fromBytes(backend(), new Uint8Array(3), [1], "f32")).toThrow(ShapeError);
    expect(() => empty(backend(), [1.5])).toThrow(ShapeError);
    expect(buffers(backend())).toBe(0);
    const [ints, floats] = [zeros(backend(), [2], "i32"), zeros(backend(), [2])];
    expect(() => parameter(ints)).toThrow(DTypeError);
    await expect(ints.read()).rejects.toThrow(DTypeError);
    await expect(floats.readInts()).rejects.toThrow(DTypeError);
    await expect(floats.item()).rejects.toThrow(ShapeError);
    for (const t of [ints, floats]) t.dispose();
  });
});

describeOnBackends("quantized tensors", (backend) => {
  test("count their bytes and free them together", () => {
    const q = scope(backend(), () => quantize(zeros(backend(), [100, 100]), nf4()));
    expect(q.byteLength).toBe(5000 + 157 + 4 + 4);
    expect(buffers(backend())).toBe(4);
    q.dispose();
    expect(() => dequantize(q)).toThrow(DeviceError);
  });
});

describe("a backend", () => {
  test("counts live buffers and bytes, and their peak", () => {
    const b = createPlainBackend();
    const x = zeros(b, [100]);
    const y = zeros(b, [50]);
    y.dispose();
    expect(b.memory()).toEqual({ liveBuffers: 1, liveBytes: 400, peakBytes: 600 });
    b.resetPeak();
    expect(b.memory()).toEqual({ liveBuffers: 1, liveBytes: 400, peakBytes: 400 });
    x.dispose();
    b.dispose();
    b.dispose();
  });

  test("refuses what does not fit, with the sizes, and goes on", () => {
    const b = createPlainBackend({ maxBufferBytes: 100, maxTotalBytes: 150 });
    const fails = (n: number): unknown => {
      try {
        return zeros(b, [n]);
      } catch (error) {
        return error;
      }
    };
    expect(fails(26)).toMatchObject({ name: "OutOfMemoryError", requestedBytes: 104, liveBytes: 0 });
    const x = zeros(b, [25]);
    expect(fails(13)).toBeInstanceOf(OutOfMemoryError);
    x.dispose();
    zeros(b, [13]).dispose();
    expect(b.memory().liveBuffers).toBe(0);
  });

  test("refuses buffers after they were freed, and everything after dispose", async () => {
    const b = createPlainBackend();
    const buffer = b.alloc(8);
    b.free(buffer);
    expect(() => b.free(buffer)).toThrow(DeviceError);
    expect(() => b.write(buffer, new Uint8Array(8))).toThrow(DeviceError);
    await expect(b.read(buffer)).rejects.toThrow(DeviceError);
    expect(() => b.run("neg", [{ buffer, dtype: "f32", shape: [2] }], [{ buffer, dtype: "f32", shape: [2] }], {})).toThrow(DeviceError);
    expect(() => b.run("toString", [], [], {})).toThrow(DeviceError);
    b.dispose();
    expect(() => b.alloc(1)).toThrow(DeviceError);
  });
});
