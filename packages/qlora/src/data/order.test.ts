import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataOrder, inFileOrder, type OrderOptions, permutation } from "./order.ts";

const options = (change: Partial<OrderOptions> = {}): OrderOptions => ({ order: "shuffle", batch: 2, accumulate: 2, seed: 7, ...change });
const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("permutation", () => {
  it("has every row once, for any seed and epoch", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.maxSafeNat(), fc.nat(1000), (n, seed, epoch) => {
        expect(sorted(permutation(n, seed, epoch))).toEqual(upTo(n));
      }),
    );
  });

  it("differs between epochs and between seeds, and repeats for the same", () => {
    const [a, b, c] = [permutation(30, 1, 0), permutation(30, 1, 1), permutation(30, 2, 0)];
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(c);
    expect(a).toEqual(permutation(30, 1, 0));
  });

  it("puts each row at each place about equally often", () => {
    const counts = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
    for (let epoch = 0; epoch < 2000; epoch++) for (const [place, row] of permutation(5, 3, epoch).entries()) counts[row]![place]!++;
    for (const count of counts.flat()) expect(Math.abs(count - 400)).toBeLessThan(5 * Math.sqrt(2000 * 0.2 * 0.8));
  });
});

describe("DataOrder", () => {
  it("goes round in file order: step s, row i of the batch is row (s · B + i) mod rows", () => {
    const order = new DataOrder(5, options({ order: "file", accumulate: 1 }));
    expect(upTo(4).map((step) => order.microBatches(step))).toEqual([[[0, 1]], [[2, 3]], [[4, 0]], [[1, 2]]]);
    expect(new DataOrder(5, options({ order: "file" })).microBatches(1)).toEqual([
      [4, 0],
      [1, 2],
    ]);
  });

  it("shows every row once an epoch and keeps what is left over as a smaller last step", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(3),
        (rows, batch, accumulate, epoch) => {
          const order = new DataOrder(rows, options({ batch, accumulate }));
          const steps = upTo(order.stepsPerEpoch).map((step) => order.microBatches(epoch * order.stepsPerEpoch + step));
          expect(sorted(steps.flat(2))).toEqual(upTo(rows));
          expect(steps.flat().every((rows) => rows.length > 0 && rows.length <= batch)).toBe(true);
          expect(steps.slice(0, -1).every((step) => step.flat().length === batch * accumulate)).toBe(true);
        },
      ),
    );
  });

  it("is a function of the step alone, whatever was asked before", () => {
    const order = new DataOrder(11, options());
    const forwards = upTo(9).map((step) => order.microBatches(step));
    const backwards = upTo(9).map((step) => order.microBatches(8 - step));
    expect(backwards.reverse()).toEqual(forwards);
    expect(new DataOrder(11, options()).microBatches(7)).toEqual(forwards[7]);
  });

  it("counts the steps of epochs", () => {
    expect(new DataOrder(9, options()).stepsPerEpoch).toBe(3);
    expect([0.1, 1, 1.5, 2].map((epochs) => new DataOrder(9, options()).stepsForEpochs(epochs))).toEqual([1, 3, 5, 6]);
    expect(new DataOrder(9, options({ order: "file" })).stepsForEpochs(2)).toBe(5);
  });
});

it("deals rows out in file order for evaluation", () => {
  expect(inFileOrder(5, 2)).toEqual([[0, 1], [2, 3], [4]]);
});
