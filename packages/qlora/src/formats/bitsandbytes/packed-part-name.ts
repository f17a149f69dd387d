// The names by which a file shows that it has bitsandbytes' 4-bit weights in it. No more is loaded for a file that has none.

/** Weight and kind of a part beside a 4-bit weight: `model.….weight`, `absmax`. */
export const PART_NAME = /^(.+)\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.[^.]+)$/;

/** Whether any of the names is that of such a part. */
export const hasPackedParts = (names: Iterable<string>): boolean => [...names].some((name) => PART_NAME.test(name));
