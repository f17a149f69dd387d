// The scales and minima of Q4_K and Q5_K: eight of each, six bits, in twelve bytes. The first four of both lie in the low six bits of bytes 0–3 and 4–7; of the last
// four, the low nibbles are in bytes 8–11 (scale low, minimum high) and the upper two bits on top of bytes 0–3 and 4–7.
// Source: ggml-quants.c (get_scale_min_k4), gguf-py quants.py (Q4_K.get_scale_min).

/** The scale of a group, 0 to 63. */
export const kScale = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + group]! & 63 : (bytes[at + 4 + group]! & 15) | ((bytes[at + group - 4]! >> 2) & 48);

/** The minimum of a group, 0 to 63. */
export const kMinimum = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + 4 + group]! & 63 : (bytes[at + 4 + group]! >> 4) | ((bytes[at + group]! >> 2) & 48);
