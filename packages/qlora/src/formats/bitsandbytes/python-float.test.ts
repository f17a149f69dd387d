import { expect, test } from "vitest";
import { pythonFloat } from "./python-float.ts";

test.each([
  [0.2636549174785614, "0.2636549174785614"],
  [3, "3.0"],
  [0, "0.0"],
  [-0, "-0.0"],
  [-2.5, "-2.5"],
  [0.0001, "0.0001"],
  [0.00009999999747378752, "9.999999747378752e-05"],
  [1e-7, "1e-07"],
  [1.5e-45, "1.5e-45"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [3.4028234663852886e38, "3.4028234663852886e+38"],
  [1e-123, "1e-123"],
])("%f is written %s, as Python writes it", (value, text) => expect(pythonFloat(value)).toBe(text));
