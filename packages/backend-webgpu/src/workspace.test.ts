import { attention, linearCrossEntropy, nf4, qmatmul, quantize, scope, tensor } from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { openSoftwareGpu } from "./kernels/software-gpu.fixture.ts";
import { workspaceOfGpu } from "./workspace.ts";

const { backend, absent } = await openSoftwareGpu();
const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i));
const foretold = workspaceOfGpu({ software: true });

describe.skipIf(absent !== "")(`workspace${absent}`, () => {
  afterAll(() => backend.dispose());

  /** Runs an op alone, and compares what its kernel takes with what was foretold. */
  function check(compute: () => unknown): void {
    scope(backend, () => {
      const { run } = backend;
      let predicted = 0;
      let outputs = 0;
      backend.run = (op, inputs, views, attrs) => {
        predicted = foretold(op, inputs, views, attrs);
        outputs = backend.memory().liveBytes;
        backend.resetPeak();
        run.call(backend, op, inputs, views, attrs);
      };
      compute();
      backend.run = run;
      expect(predicted).toBeGreaterThan(0);
      expect(backend.memory().peakBytes - outputs).toBe(predicted);
    });
  }

  test("foretells what the head with its loss takes", () => {
    scope(backend, () => {
      const x = tensor(backend, numbers(24 * 16), [24, 16]);
      const weight = tensor(backend, numbers(2000 * 16), [2000, 16]);
      const targets = tensor(
        backend,
        Array.from({ length: 24 }, (_, i) => i * 7),
        [24],
        "i32",
      );
      check(() => linearCrossEntropy(x, weight, targets));
    });
  });

  test("foretells what a product with double-quantized weights takes", () => {
    scope(backend, () => {
      const weight = quantize(tensor(backend, numbers(128 * 64), [128, 64]), nf4());
      const x = tensor(backend, numbers(40 * 64), [40, 64]);
      check(() => qmatmul(x, weight));
    });
  });

  test("foretells what attention over many keys takes", () => {
    scope(backend, () => {
      const q = tensor(backend, numbers(8), [1, 1, 1, 8]);
      const [k, v] = [1, 2].map(() => tensor(backend, numbers(512 * 8), [1, 512, 1, 8])) as [typeof q, typeof q];
      const starts = tensor(backend, [0], [1], "i32");
      check(() => attention(q, k, v, starts, { scale: 1, offset: 511 }));
    });
  });
});
