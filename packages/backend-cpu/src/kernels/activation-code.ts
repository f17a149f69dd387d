// How activations are named to kernels.
import type { Activation } from "@qlora-js/core";

/** The numbers of simd/activation.as.ts. */
export const ACTIVATION_CODE: Readonly<Record<Activation, number>> = { relu: 0, silu: 1, gelu: 2, geluTanh: 3 };
