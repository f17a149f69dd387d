// The 256 values of bitsandbytes' dynamic 8-bit type: the further a value is from 1, the fewer bits its fraction has. Scales of double quantization and
// first moments use the signed map, second moments the unsigned one. Each decade 10^(i−6), i = 0 … 6, is cut into 2^i parts (signed, and mirrored)
// or 2^(i+1) (unsigned), and the middle of each part is a value; 0 and 1 are added.
import { linspace } from "./linspace.ts";

const DECADES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1];

/** The map, ascending, exact in f32. Source: bitsandbytes functional.py, create_dynamic_map; test data holds the SHA-256 of both. */
export function dynamicMap(kind: "signed" | "unsigned"): Float32Array {
  const values = [0, 1];
  for (const [i, decade] of DECADES.entries()) {
    const points = linspace(0.1, 1, kind === "signed" ? 2 ** i : 2 ** (i + 1));
    for (let j = 0; j + 1 < points.length; j++) {
      const middle = Math.fround(points[j]! + points[j + 1]!) / 2;
      const value = Math.fround(Math.fround(decade) * middle);
      values.push(value);
      if (kind === "signed") values.push(-value);
    }
  }
  return Float32Array.from(values).sort();
}
