// What grad() refuses, and what it says.
import {
  argmax,
  attention,
  type Backend,
  cast,
  GradientError,
  grad,
  mul,
  nf4,
  parameter,
  quantize,
  ShapeError,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@qlora-js/core";
import { expect, test } from "vitest";
import { describeOnBackends } from "../on-backends.ts";

const vector = (b: Backend, ...values: number[]): Tensor => tensor(b, values);

describeOnBackends("grad", (backend) => {
  const refused = (body: (b: Backend) => unknown): unknown => {
    try {
      scope(backend(), () => body(backend()));
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test("refuses a parameter that the loss does not depend on, and says which", () => {
    const error = refused((b) => {
      const x = parameter(vector(b, 1));
      return grad(sum(square(x)), [x, parameter(zeros(b, [2, 3]))]);
    });
    expect(error).toBeInstanceOf(GradientError);
    expect(String(error)).toMatch(/parameter 1 of shape \[2, 3\]/);
  });

  test("refuses a tensor that was not marked, and says so", () => {
    const error = refused((b) => {
      const x = parameter(vector(b, 1));
      const y = zeros(b, [4]);
      return grad(sum(mul(x, y)), [y]);
    });
    expect(error).toBeInstanceOf(GradientError);
    expect(String(error)).toMatch(/\[4\].*parameter\(\)/);
  });

  test("refuses a loss without any parameter", () => {
    expect(refused((b) => grad(sum(zeros(b, [2])), [parameter(zeros(b, [2]))]))).toBeInstanceOf(GradientError);
  });

  test("refuses an op without a gradient, by its name", () => {
    const error = refused((b) => {
      const q = parameter(zeros(b, [1, 2, 1, 4]));
      const inner = attention(q, q, q, zeros(b, [1], "i32"), { scale: 1, offset: 0 });
      return grad(sum(grad(sum(square(inner)), [q])[0]!), [q]);
    });
    expect(error).toBeInstanceOf(GradientError); // the inner gradient is a constant
    const named = refused((b) => {
      const x = parameter(vector(b, 1, 2));
      const codes = quantize(x, nf4({ doubleQuant: false })).tensors()[1]!;
      return grad(sum(codes), [x]);
    });
    expect(named).toBeInstanceOf(GradientError);
    expect(String(named)).toMatch(/^GradientError: quantize: /);
  });

  test("stops at whole numbers: what comes after argmax or a cast to 16 bits depends on nothing", () => {
    expect(
      refused((b) => {
        const x = parameter(zeros(b, [2, 3]));
        return grad(sum(cast(argmax(x), "f32")), [x]);
      }),
    ).toBeInstanceOf(GradientError);
    expect(
      refused((b) => {
        const x = parameter(zeros(b, [2, 3]));
        return grad(sum(cast(cast(x, "bf16"), "f32")), [x]);
      }),
    ).toBeInstanceOf(GradientError);
  });

  test("refuses a loss of several elements without a seed, and a seed of another shape", () => {
    const several = refused((b) => {
      const x = parameter(vector(b, 1, 2));
      return grad(square(x), [x]);
    });
    expect(several).toMatchObject({ name: "ShapeError", op: "grad", shapes: [[2]] });
    const seeded = refused((b) => {
      const x = parameter(vector(b, 1, 2));
      return grad(square(x), [x], { seed: zeros(b, [3]) });
    });
    expect(seeded).toBeInstanceOf(ShapeError);
    expect(seeded).toMatchObject({ op: "grad", shapes: [[3], [2]] });
  });
});
