// The list of what kernels here leave to the host, each with its reason. It is on the backend, as `capabilities.onHost`, for who wants to know.

/** Something that the host computes in place of a kernel, and why. */
export interface OnHost {
  readonly what: string;
  readonly why: string;
}

export const ON_HOST: readonly OnHost[] = [
  {
    what: "the mask of dropout",
    why: "Threefry adds, rotates and xors 32-bit integers; a whole number of gpu.js in WebGL is a float with 24 bits.",
  },
  {
    what: "cast to f16 and bf16",
    why: "Rounding to nearest, ties to even, looks at the bits of a float, and a gpu.js kernel sees its value alone.",
  },
];
