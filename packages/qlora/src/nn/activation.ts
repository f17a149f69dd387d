// The functions between an MLP's products.
import { gelu, geluTanh, mul, relu, silu, swiglu, type Tensor } from "@qlora-js/core";
import type { Activation } from "../config/decoder-config.ts";

const FUNCTIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { silu, gelu, geluTanh, relu };

export const activate = (activation: Activation, x: Tensor): Tensor => FUNCTIONS[activation](x);

/** act(gate) · up, in one pass where there is a kernel for it. */
export const activateGated = (activation: Activation, gate: Tensor, up: Tensor): Tensor =>
  activation === "silu" ? swiglu(gate, up) : mul(activate(activation, gate), up);
