// Scores under a smooth cap (Gemma 2, arXiv:2408.00118 §2): never beyond it, and as they were where they are small beside it.

/** z = s, or cap·tanh(s / cap) */
export const capped = (s: number, cap: number | null): number => (cap === null ? s : cap * Math.tanh(s / cap));
/** dz/ds, of z */
export const slope = (z: number, cap: number | null): number => (cap === null ? 1 : 1 - (z / cap) ** 2);
