import { key } from "@qlora-js/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sampleToken } from "./sample-token.ts";

const all = { temperature: 1, topK: 0, topP: 1 };
const logitsOf = fc.array(fc.oneof(fc.float({ noNaN: true, min: -30, max: 30 }), fc.constantFrom(0, -0, 1, -1, -Infinity)), {
  minLength: 2,
  maxLength: 40,
});

it("draws from the k most likely, the lower of equals first, and never from others", () => {
  fc.assert(
    fc.property(logitsOf, fc.integer({ min: 1, max: 5 }), fc.nat(1000), (values, topK, draw) => {
      fc.pre(values.some((x) => x > -Infinity));
      const logits = Float32Array.from(values);
      const order = [...logits.keys()].sort((a, b) => (logits[a] === logits[b] ? a - b : logits[b]! - logits[a]!));
      const id = sampleToken(logits, { ...all, topK }, key(1), draw)!;
      expect(order.slice(0, topK)).toContain(id);
      expect(sampleToken(logits, { ...all, topK: 1 }, key(1), draw)).toBe(order[0]);
      expect(sampleToken(logits, { ...all, topP: 1e-9 }, key(1), draw)).toBe(order[0]);
      expect(sampleToken(logits, { ...all, temperature: 0 }, key(1), draw)).toBe(order[0]);
    }),
  );
});

it("draws each token as often as it is likely", () => {
  const logits = Float32Array.from([Math.log(0.1), Math.log(0.6), Math.log(0.3)]);
  const counts = [0, 0, 0];
  for (let draw = 0; draw < 4000; draw++) counts[sampleToken(logits, all, key(7), draw)!]!++;
  for (const [id, share] of [0.1, 0.6, 0.3].entries()) expect(counts[id]! / 4000).toBeCloseTo(share, 1);
});

it("chooses none where the largest logit is not finite", () => {
  for (const value of [Number.NaN, Infinity, -Infinity])
    for (const temperature of [0, 1])
      expect(sampleToken(new Float32Array(3).fill(value), { ...all, topK: 2, temperature }, key(0), 0)).toBeUndefined();
});
