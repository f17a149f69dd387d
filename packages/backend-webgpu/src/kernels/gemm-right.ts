// The right side of a product, in whatever it is stored: floats of 32 or 16 bits, or codes of 4. Kernels see f32.
import type { QFormat, View } from "@qlora-js/core";
import type { Constant, Gpu } from "../dispatch.ts";
import { bookTable, weightReader } from "./quantized-weight.ts";

export interface Right {
  readonly reads: Readonly<Record<string, View>>;
  readonly constants: Readonly<Record<string, Constant>>;
  /** An f32 buffer that may be read without unpacking. */
  readonly f32?: View;
  /**
   * `b_at(i)`: the element at flat position i.  `b_eight(i)`: elements i … i+7 as array<vec4f, 2>, where 8 divides i.
   * `b_begin(local)`: what the threads of a workgroup do before the first of these, with a barrier after it; only if `shared`.
   */
  wgsl(shared: boolean): string;
}

const vectors = (element: (j: number) => string): string =>
  `array<vec4f, 2>(${[0, 4].map((j) => `vec4f(${[0, 1, 2, 3].map((q) => element(j + q)).join(", ")})`).join(", ")})`;

/** `NAME_eight(i)` of a buffer of f32. */
export const eightFloats = (name: string): string =>
  `fn ${name}_eight(i: u32) -> array<vec4f, 2> { return ${vectors((j) => `${name}_word(i + ${j}u)`)}; }`;

const HALVES = {
  f16: (j: number) => `unpack2x16float(b_word(w + ${j >> 1}u)).${j % 2 ? "y" : "x"}`,
  bf16: (j: number) => `bitcast<f32>(b_word(w + ${j >> 1}u) ${j % 2 ? "& 0xffff0000u" : "<< 16u"})`,
};

/** b as it is: f32, f16 or bf16. */
export function floats(b: View): Right {
  const { dtype } = b;
  const eight =
    dtype === "f16" || dtype === "bf16"
      ? `fn b_eight(i: u32) -> array<vec4f, 2> { let w = i >> 1u; return ${vectors(HALVES[dtype])}; }`
      : eightFloats("b");
  const right = {
    reads: { b },
    constants: {},
    wgsl: (shared: boolean) => `${eight}${shared ? "\nfn b_begin(local: u32) { }" : ""}`,
  };
  return dtype === "f32" ? { ...right, f32: b } : right;
}

/** A quantized weight. */
export function quantized(gpu: Gpu, weight: readonly View[], format: QFormat): Right {
  const { reads, constants, wgsl } = weightReader(gpu, weight, format);
  const names = `fn b_at(i: u32) -> f32 { return weight_at(i); }
fn b_eight(i: u32) -> array<vec4f, 2> { return weights_from(i); }`;
  return {
    reads,
    constants,
    wgsl: (shared) =>
      shared
        ? `${bookTable("table", format)}\n${wgsl("table")}\n${names}\nfn b_begin(local: u32) { fill_table(local); }`
        : `${wgsl()}\n${names}`,
  };
}
