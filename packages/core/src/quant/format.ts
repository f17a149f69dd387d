// What a 4-bit format is: data. Sixteen numbers, how many weights share a scale, and whether the scales are quantized once more.
// Packing is the same for all of them; its byte diagram is in nf4.ts. How the sixteen numbers were chosen is told in the format's own file.
import { ArgumentError } from "../error.ts";

/** Names of the formats there are. */
export type QFormatName = "nf4" | "fp4" | "int4" | "e3m0";

/** A 4-bit format as data: sixteen numbers, how many weights share a scale, and how scales are kept. */
export interface QFormat {
  readonly name: QFormatName;
  /** The value of each of the sixteen codes, before it is multiplied by the block's scale. */
  readonly codeBook: Float32Array;
  /** Weights that share one scale, in row-major order, across row ends. */
  readonly blockSize: number;
  /** True: the scales are stored in 8 bits (double-quantize.ts). */
  readonly doubleQuant: boolean;
}

/** What a user may choose of a format; the defaults are QLoRA's. */
export interface QFormatOptions {
  /** One of BLOCK_SIZES; 64 by default. */
  readonly blockSize?: number;
  /** True by default. */
  readonly doubleQuant?: boolean;
}

/** The block sizes of bitsandbytes' 4-bit kernels. */
export const BLOCK_SIZES: readonly number[] = [32, 64, 128, 256, 512, 1024, 2048, 4096];

/**
 * A format from its name, its sixteen values and the user's choices.
 * @throws ArgumentError unless the block size is one of BLOCK_SIZES
 */
export function makeFormat(
  name: QFormatName,
  values: readonly number[],
  { blockSize = 64, doubleQuant = true }: QFormatOptions = {},
): QFormat {
  if (!BLOCK_SIZES.includes(blockSize))
    throw new ArgumentError(
      name,
      "blockSize",
      blockSize,
      `block size ${blockSize} is not one of ${BLOCK_SIZES.join(", ")}. Use 64 unless you compare.`,
    );
  if (values.length !== 16) throw new ArgumentError(name, "values", values.length, `a code book has 16 values, not ${values.length}.`);
  return { name, codeBook: Float32Array.from(values), blockSize, doubleQuant };
}
