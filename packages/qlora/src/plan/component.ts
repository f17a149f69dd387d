// What memory is used for. The sum over all of them is what a run needs; a table has a line each.

/** In the order they are shown. */
export const COMPONENTS = [
  "weights",
  "scales",
  "embeddings",
  "norms",
  "adapter",
  "gradients",
  "optimizer",
  "activations",
  "head",
  "transient",
] as const;

/**
 * weights: linear weights, as 4-bit codes or 16-bit numbers. scales: what the codes are multiplied by. embeddings: the token table, and the head where it
 * is not the same. norms: with the biases. adapter: A and B. gradients: of what is trained. optimizer: moments on the device. activations: kept from the
 * forward pass for the backward pass. head: what the loss keeps. transient: all else at the moment of the peak, most of it one layer computed again.
 */
export type Component = (typeof COMPONENTS)[number];

/** Bytes of each component at one moment. */
export type ComponentBytes = Readonly<Record<Component, number>>;

/** All zero. */
export const noBytes = (): Record<Component, number> => Object.fromEntries(COMPONENTS.map((c) => [c, 0])) as Record<Component, number>;

export const sumOf = (bytes: ComponentBytes): number => COMPONENTS.reduce((n, c) => n + bytes[c], 0);
