import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dynamicMap } from "./dynamic-map.ts";

const sha256 = (map: Float32Array): string => createHash("sha256").update(new Uint8Array(map.buffer)).digest("hex");

describe("dynamicMap", () => {
  // Hashes of the little-endian f32 bytes of create_dynamic_map, bitsandbytes 0.50.
  it.each([
    ["signed", "e732639a65f497b4ad684bb166a4467708255edd5207757de8b8f0c7e1fda89c"],
    ["unsigned", "305f002cc11278fb769d13b25b9fd0c7c83c8402c40a878fe086f4039fde6398"],
  ] as const)("%s is bitsandbytes' map, bit for bit", (kind, hash) => {
    expect(sha256(dynamicMap(kind))).toBe(hash);
  });

  it.each(["signed", "unsigned"] as const)("%s has 256 different values, ascending, to exactly 1", (kind) => {
    const map = dynamicMap(kind);
    expect(map).toHaveLength(256);
    for (let i = 1; i < 256; i++) expect(map[i]).toBeGreaterThan(map[i - 1]!);
    expect(map[255]).toBe(1);
  });

  it("puts zero where bitsandbytes does", () => {
    expect(dynamicMap("signed").indexOf(0)).toBe(127);
    expect(dynamicMap("unsigned").indexOf(0)).toBe(0);
  });

  it("mirrors all signed values but 1", () => {
    const map = dynamicMap("signed");
    for (let i = 0; i < 127; i++) expect(map[i]).toBe(-map[254 - i]!);
  });
});
