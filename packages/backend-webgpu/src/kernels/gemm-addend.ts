// What a product is added to: nothing, something of its shape, or one row.
import type { View } from "@qlora-js/core";
import type { Gemm } from "./gemm.ts";

export interface Addend {
  readonly reads: Readonly<Record<string, View>>;
  readonly kind: "none" | "row" | "full";
  /** ` + …` for position `at` of the product, in column `column`. */
  plus(at: string, column: string): string;
}

export function addendOf({ c }: Gemm): Addend {
  if (!c) return { reads: {}, kind: "none", plus: () => "" };
  const row = c.shape.length === 1;
  return { reads: { c }, kind: row ? "row" : "full", plus: (at, column) => ` + c_at(${row ? column : at})` };
}
