// What bitsandbytes writes beside a 4-bit weight: JSON, as the bytes of a tensor `weight.quant_state.bitsandbytes__nf4` (or `__fp4`). Parsed here as what
// a stranger gave. Source: bitsandbytes functional.py, QuantState.as_dict and from_dict.
import { BLOCK_SIZES, FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../quoted.ts";
import { checkJson } from "../read-json.ts";

/** By the names that quant_state uses. */
export const STATE_DTYPES = { float32: "f32", float16: "f16", bfloat16: "bf16" } as const;

export interface QuantState {
  readonly type: "nf4" | "fp4";
  readonly blockSize: number;
  /** What bitsandbytes rounds weights to when it dequantizes them. */
  readonly dtype: (typeof STATE_DTYPES)[keyof typeof STATE_DTYPES];
  /** [out, in]. */
  readonly shape: readonly [number, number];
  /** What was subtracted from the scales before they were quantized, an f32 number; null without double quantization. */
  readonly offset: number | null;
}

/** A state takes less than 200 bytes. */
export const MAX_STATE_BYTES = 4096;

const size = z.int().check(z.minimum(1), z.maximum(0x7fffffff));

const Schema = z.object({
  quant_type: z.enum(["nf4", "fp4"]),
  blocksize: z.int().check(z.refine((n) => BLOCK_SIZES.includes(n), `expected one of ${BLOCK_SIZES.join(", ")}`)),
  dtype: z.enum(Object.keys(STATE_DTYPES) as (keyof typeof STATE_DTYPES)[]),
  shape: z.tuple([size, size]),
  nested_blocksize: z.optional(z.literal(256)),
  nested_dtype: z.optional(z.literal("float32")),
  nested_offset: z.optional(z.number().check(z.refine((x) => Number.isFinite(Math.fround(x)), "expected a finite float32"))),
});

/**
 * @param where the file and the tensor, for errors
 * @throws FormatError if it is not JSON, or a value is missing or cannot be
 */
export function parseQuantState(where: string, bytes: Uint8Array): QuantState {
  if (bytes.length > MAX_STATE_BYTES) throw new FormatError(where, `has ${bytes.length} bytes; a state has at most ${MAX_STATE_BYTES}.`);
  const raw = checkJson(where, Schema, parse(where, bytes));
  const nested = [raw.nested_blocksize, raw.nested_dtype, raw.nested_offset].filter((value) => value !== undefined).length;
  if (nested !== 0 && nested !== 3)
    throw new FormatError(where, "has some of nested_blocksize, nested_dtype and nested_offset, but not all three.");
  const [rows, columns] = raw.shape;
  if (rows * columns > 2 ** 40) throw new FormatError(where, `"shape" ${quoted(raw.shape)} is of more numbers than any weight has.`);
  return {
    type: raw.quant_type,
    blockSize: raw.blocksize,
    dtype: STATE_DTYPES[raw.dtype],
    shape: [rows, columns],
    offset: raw.nested_offset === undefined ? null : Math.fround(raw.nested_offset),
  };
}

/** Python's literals for what is no finite number, which JSON has no words for; as strings they are refused with their names. */
const NOT_FINITE = /([[:,]\s*)(-?Infinity|NaN)(?=\s*[\],}])/g;

function parse(where: string, bytes: Uint8Array): unknown {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1; // some writers pad with NULs
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end));
    return JSON.parse(text.replace(NOT_FINITE, '$1"$2"'));
  } catch (error) {
    throw new FormatError(where, `is not JSON (${(error as Error).message}).`, { cause: error });
  }
}
