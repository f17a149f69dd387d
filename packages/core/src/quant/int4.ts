// Int4 of the paper's ablation: k/7 for k = −7 … 7, evenly spaced. The code is k as a two's complement nibble; −8 is in the table, but no block
// reaches it, since a block is scaled by its own largest magnitude. bitsandbytes has the values (create_linear_map) but cannot write them,
// so the order of the codes is ours.
import { makeFormat, type QFormat, type QFormatOptions } from "./format.ts";

/** The sixteen values in order of their codes: 0 … 7, −8 … −1, over 7. */
const INT4_VALUES: readonly number[] = Array.from({ length: 16 }, (_, code) => (code < 8 ? code : code - 16) / 7);

/** Int4 with the given block size, double-quantized unless said otherwise. @throws ArgumentError for a block size that is none */
export const int4 = (options?: QFormatOptions): QFormat => makeFormat("int4", INT4_VALUES, options);
