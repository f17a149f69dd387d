// What a kernel asks of the GPU: one program, what it reads and writes, a few numbers, and how many threads.
import type { DType, View } from "@qlora-js/core";
import type { AdapterFacts } from "./adapter-facts.ts";

/** A float among a kernel's numbers; plain numbers are u32. */
export class Float {
  constructor(readonly value: number) {}
}
export const float = (value: number): Float => new Float(value);

export type Constant = number | boolean | string;

export interface Dispatch {
  /** Of the program. With the constants, the params' names and the bindings' names and dtypes it says which text is compiled, so these must decide it. */
  readonly name: string;
  /** What the text is specialised for. Whole numbers are u32 constants of the WGSL, booleans bool; strings only choose the text. */
  readonly constants?: Readonly<Record<string, Constant>>;
  /** By the name they have in the WGSL, `array<T>` with T f32, i32, or u32 for what is packed (f16, bf16: two a word; u8: four). */
  readonly reads: Readonly<Record<string, View>>;
  /** The same, read and written. A buffer may stand in one place only if one of the places writes. */
  readonly writes: Readonly<Record<string, View>>;
  /** Bindings that are seen as another element type than their dtype's, `vec4<f32>` for example. */
  readonly as?: Readonly<Record<string, string>>;
  /**
   * A language feature the text needs, which only adapters with `facts.shaderF16` or `facts.subgroups` have. The constants must say whether it is used.
   * With subgroups, `subgroup_width` is how many threads are in one; only for grids of workgroups.
   */
  readonly enable?: "f16" | "subgroups";
  /** `params.NAME` in the WGSL: u32 or f32. What differs from call to call belongs here, not into the constants. */
  readonly params?: Readonly<Record<string, number | Float>>;
  /**
   * threads: `fn thread(i: u32)` runs for each i below it.
   * workgroups: `fn block(group: u32, local: u32)` runs for each group below it with `size` threads, and may use barriers.
   */
  readonly grid: { readonly threads: number } | { readonly workgroups: number; readonly size: number };
  /** Functions and workgroup variables; bindings, params, constants and the entry are written around it. */
  readonly wgsl: () => string;
}

/** What kernels see of the backend. */
export interface Gpu {
  readonly facts: AdapterFacts;
  dispatch(dispatch: Dispatch): void;
  /** Bytes from one buffer to another, all numbers multiples of 4. */
  copy(from: View, fromOffset: number, to: View, toOffset: number, byteLength: number): void;
  /** Room for this kernel's run only; its contents are unspecified. */
  temporary(dtype: DType, shape: readonly number[]): View;
}
