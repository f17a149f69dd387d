// The thresholds by which a 4-bit format is written: midpoints between neighbours of its code book, or bitsandbytes' own literals for FP4 on CUDA.
import type { QFormat } from "./format.ts";
import { fp4CudaLevels } from "./fp4.ts";
import { type Levels, midpoints } from "./levels.ts";

/**
 * Which of bitsandbytes' two FP4 rules writes: "cpu" (midpoints, ties to the lower value, small positive numbers get code 8), or "cuda"
 * (its literals, ties to the smaller magnitude, small negative numbers get code 8). The other formats have one rule under either name.
 */
export type NearestRule = "cpu" | "cuda";

/** The thresholds and codes of a format, ascending by value. Of two equal values the lower code is written, except in FP4, where both are. */
export function formatLevels(format: QFormat, rule: NearestRule = "cpu"): Levels {
  if (format.name === "fp4" && rule === "cuda") return fp4CudaLevels();
  const book = format.codeBook;
  const ascending = [...book.keys()].sort((a, b) => book[a]! - book[b]!);
  const codes = format.name === "fp4" ? ascending : ascending.filter((code, i) => i === 0 || book[code] !== book[ascending[i - 1]!]);
  return { bounds: midpoints(Float32Array.from(codes, (code) => book[code]!)), codes: Uint8Array.from(codes) };
}
