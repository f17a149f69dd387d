import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { ropeFrequencies, ropeTables } from "./rope-tables.ts";

interface Case {
  readonly name: string;
  readonly config: object;
  readonly length: number;
  readonly frequencies: readonly number[];
  readonly lastCos: readonly number[];
  readonly lastSin: readonly number[];
}

// Of transformers 5.23.0, written by test/reference/make_rope.py.
const { cases } = JSON.parse(readFileSync(new URL("./rope-tables.reference.json", import.meta.url), "utf8")) as { cases: Case[] };

describe("rotary positions are those of transformers:", () => {
  test.each(cases)("$name", ({ config, length, frequencies, lastCos, lastSin }) => {
    const rope = (parseModelConfig(config) as DecoderConfig).ropes[0]!;
    const found = ropeFrequencies(rope, length);
    expect(found).toHaveLength(frequencies.length);
    // f32 powers of two libraries: the last bit or two
    for (const [i, f] of found.entries()) expect(Math.abs(f / frequencies[i]! - 1), `frequency ${i}`).toBeLessThan(2.5e-7);
    const half = frequencies.length;
    const { cos, sin } = ropeTables(rope, 0, length);
    for (let i = 0; i < half; i++) {
      expect(Math.abs(cos[(length - 1) * half + i]! - lastCos[i]!), `cosine ${i}`).toBeLessThan(6e-5);
      expect(Math.abs(sin[(length - 1) * half + i]! - lastSin[i]!), `sine ${i}`).toBeLessThan(6e-5);
    }
  });

  test("and go on from a first position", () => {
    const rope = (parseModelConfig(cases[0]!.config) as DecoderConfig).ropes[0]!;
    const [whole, part] = [ropeTables(rope, 0, 10), ropeTables(rope, 7, 3)];
    expect(part.cos).toEqual(whole.cos.slice(7 * 8));
    expect(part.sin).toEqual(whole.sin.slice(7 * 8));
  });
});
