import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CharacterMap } from "./character-map.ts";

/** A map of one byte, by hand: a root at 0 whose offset is 1, the unit of "a" at 1 ^ 0x61 with a leaf, and the leaf's value, where "bc" stands. */
function mapOfA(): Uint8Array {
  const units = new Uint32Array(256);
  units[0] = 1 << 10;
  units[0x60] = 0x61 | 0x100 | (2 << 10);
  units[0x62] = 0x8000_0000;
  return Uint8Array.from([...new Uint8Array(Uint32Array.of(units.byteLength).buffer), ...new Uint8Array(units.buffer), 0x62, 0x63, 0]);
}

describe("CharacterMap", () => {
  const map = new CharacterMap("model", mapOfA());

  it("replaces what it has, in short clusters with all that belongs to them, and leaves the rest", () => {
    expect(map.normalize("xay")).toBe("xbcy");
    expect(map.normalize("a\u0301-\u0301a")).toBe("bc-\u0301bc");
    expect(map.normalize("a\u0301\u0301\u0301")).toBe("bc\u0301\u0301\u0301");
    expect(map.normalize("")).toBe("");
  });

  it("cuts a text into the segmenter's clusters, however it gets there", () => {
    const unit = fc.constantFrom(
      ..." aA0\n\ré",
      "\u0301",
      "\u200d",
      "\ufe0f",
      "😀",
      "🏽",
      "👩",
      "🇩",
      "\u0600",
      "١",
      "世",
      "の",
      "\u3099",
      "ำ",
      "न",
      "\u094d",
      "가",
      "ᄀ",
      "ᅡ",
      "\u{110bd}",
    );
    const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
    const byCluster = (cluster: string) =>
      cluster.startsWith("a") && new TextEncoder().encode(cluster).length < 6 ? "bc" : cluster.replaceAll("a", "bc");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        expect(map.normalize(text)).toBe(Array.from(segmenter.segment(text), ({ segment }) => byCluster(segment)).join(""));
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses bytes that hold no trie", () => {
    for (const bytes of [[], [1], [3, 0, 0, 0, 1, 2, 3], [255, 255, 255, 255, 0, 0, 0, 0]])
      expect(() => new CharacterMap("model", Uint8Array.from(bytes))).toThrow(FormatError);
  });
});
