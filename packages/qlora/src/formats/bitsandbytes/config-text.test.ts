import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withKey } from "./config-text.ts";

const text = '{\n  "a": 1e-05,\n  "m": {"x": [1, 10000.0], "y": "},{"},\n  "z\\"q": "a,b"\n}\n';

describe("a key of a config's text", () => {
  test("is put in its place in order, and all else stays to the letter", () => {
    expect(withKey(text, "b", "{}")).toBe('{\n  "a": 1e-05,\n  "b": {},\n  "m": {"x": [1, 10000.0], "y": "},{"},\n  "z\\"q": "a,b"\n}\n');
    expect(withKey(text, "zz", "2")).toContain('"z\\"q": "a,b",\n  "zz": 2\n}\n');
    expect(withKey("{}", "b", "2")).toBe('{\n  "b": 2\n}');
  });

  test("is replaced where it is there", () => {
    expect(withKey(text, "m", "null")).toBe('{\n  "a": 1e-05,\n  "m": null,\n  "z\\"q": "a,b"\n}\n');
  });

  test("is removed; where it is not there, nothing changes", () => {
    expect(withKey(text, "m", undefined)).toBe('{\n  "a": 1e-05,\n  "z\\"q": "a,b"\n}\n');
    expect(withKey(text, "b", undefined)).toBe(text);
  });

  test("is what is parsed again, whatever the other keys are", () => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== "__proto__" && !/^\d+$/.test(key)),
      fc.jsonValue(),
      { maxKeys: 6 },
    );
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, 2), (json, indent) => {
        const { quantization_config: _, ...others } = json;
        const source = JSON.stringify(json, undefined, indent);
        expect(JSON.parse(withKey(source, "quantization_config", '{ "a": 1 }'))).toEqual({
          ...JSON.parse(JSON.stringify(others)),
          quantization_config: { a: 1 },
        });
      }),
    );
  });
});
