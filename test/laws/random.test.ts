// Random numbers: the published function, and what is built on it.
import { bitsAt, dropout, fold, key, normal, threefry, uniform, uniformAt } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PROPERTY, seeds } from "../arbitraries.ts";
import { compute } from "../compute.ts";
import { describeOnBackends } from "../on-backends.ts";
import { fill } from "../value.ts";

describe("threefry", () => {
  // Random123 1.14, tests/kat_vectors: threefry2x32 with 20 rounds; the same three are in JAX's tests of its generator.
  test.each([
    { k: [0, 0], c: [0, 0], want: [0x6b200159, 0x99ba4efe] },
    { k: [0xffffffff, 0xffffffff], c: [0xffffffff, 0xffffffff], want: [0x1cb996fc, 0xbb002be7] },
    { k: [0x13198a2e, 0x03707344], c: [0x243f6a88, 0x85a308d3], want: [0xc4923a9c, 0x483df7a0] },
  ])("gives $want for the key $k and the counter $c", ({ k, c, want }) => {
    expect(threefry({ k0: k[0]!, k1: k[1]! }, c[0]!, c[1]!)).toEqual(want);
  });

  test("maps no two counters of a key to the same block", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const blocks = Array.from({ length: 500 }, (_, i) => threefry(key(seed), i, 0).join());
        expect(new Set(blocks).size).toBe(500);
      }),
      PROPERTY,
    );
  });
});

describe("keys", () => {
  test("hold all 53 bits of a seed", () => {
    expect(key(1)).toEqual({ k0: 0, k1: 1 });
    expect(key(2 ** 32)).toEqual({ k0: 1, k1: 0 });
    expect(key(2 ** 53 - 1)).toEqual({ k0: 2 ** 21 - 1, k1: 2 ** 32 - 1 });
  });

  test("differ for each number folded in, and for each order of folding", () => {
    const keys = Array.from({ length: 300 }, (_, n) => JSON.stringify(fold(key(7), n)));
    expect(new Set(keys).size).toBe(300);
    expect(fold(fold(key(7), 1), 2)).not.toEqual(fold(fold(key(7), 2), 1));
  });
});

describe("numbers", () => {
  test("of an element are its own: a part of a longer list is the shorter list", () => {
    fc.assert(
      fc.property(seeds, fc.nat(40), (seed, n) => {
        expect(uniform(key(seed), 100).slice(0, n)).toEqual(uniform(key(seed), n));
        expect(normal(key(seed), 100).slice(0, n)).toEqual(normal(key(seed), n));
      }),
      PROPERTY,
    );
  });

  test("uniform ones are the upper 24 bits as a fraction, in [0, 1)", () => {
    fc.assert(
      fc.property(seeds, fc.nat(1e6), (seed, i) => {
        const u = uniformAt(key(seed), i);
        expect(u).toBe(Math.floor(bitsAt(key(seed), i) / 256) / 2 ** 24);
        expect(u).toBe(Math.fround(u));
        expect(u).toBeGreaterThanOrEqual(0);
        expect(u).toBeLessThan(1);
      }),
      PROPERTY,
    );
  });

  test("uniform ones have the mean, deviation and independence of neighbours that they should", () => {
    const n = 20_000;
    const u = uniform(key(11), n);
    const mean = u.reduce((a, b) => a + b, 0) / n;
    const variance = u.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    const product = u.reduce((a, b, i) => a + (i === 0 ? 0 : (b - mean) * (u[i - 1]! - mean)), 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01); // five deviations of the mean of n
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
    expect(Math.abs(product)).toBeLessThan(0.003);
  });

  test("normal ones have the mean, deviation and tails of the normal distribution", () => {
    const n = 20_000;
    const x = normal(key(12), n, 2);
    const mean = x.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
    const beyond = x.filter((v) => Math.abs(v) > 4).length / n; // two deviations: 4.55 %
    expect(Math.abs(mean)).toBeLessThan(0.07);
    expect(Math.abs(deviation - 2)).toBeLessThan(0.05);
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.008);
  });
});

describeOnBackends("dropout", (backend) => {
  test("drops about its rate, and keeps the sum", async () => {
    const n = 20_000;
    const [y] = await compute(backend(), [fill([n], () => 1)], (x) => dropout(x!, 0.3, key(3)));
    const dropped = y!.data.filter((v) => v === 0).length / n;
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.017);
    expect(Math.abs(y!.data.reduce((a, b) => a + b, 0) / n - 1)).toBeLessThan(0.025);
  });

  test("drops others with another key, and the same again with the same", async () => {
    const [one, same, other] = await compute(backend(), [fill([200], () => 1)], (x) => [
      dropout(x!, 0.5, key(1)),
      dropout(x!, 0.5, key(1)),
      dropout(x!, 0.5, key(2)),
    ]);
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });
});
