import { type Activation, gelu, geluTanh, relu, silu, type Tensor } from "@qlora-js/core";

const FUNCTIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { silu, gelu, geluTanh, relu };

/** The function between an MLP's products, by its name. */
export const activate = (activation: Activation, x: Tensor): Tensor => FUNCTIONS[activation](x);
