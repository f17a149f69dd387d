import type { Tensor } from "../tensor.ts";
import { neg } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { logSoftmax } from "./softmax.ts";

/** −ln softmax(logits)[target] a row: logits f32 [..., vocabulary], targets i32 [...] → f32 [...]. Not reduced: weigh and sum as you need. @throws ShapeError, DTypeError */
export const crossEntropy = (logits: Tensor, targets: Tensor): Tensor => neg(gather(logSoftmax(logits), targets));
