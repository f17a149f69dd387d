import { describe, expect, it } from "vitest";
import { ShapeError } from "../error.ts";
import { type AdamWStep, adamWStep } from "./adamw.ts";

type Numbers = [number, number, number, number];

const GRADIENTS: Numbers[] = [
  [0.5, -0.25, 0, 1e-4],
  [0.25, 0.75, -1e-8, 3],
  [-2, 0.125, 0, -1e-4],
];

// torch.optim.AdamW of torch 2.13.0 on a CPU in float32, printed by test/reference/make_adamw.py: parameters after each of three steps, moments after the last.
const GOLDENS: { options: Omit<AdamWStep, "step">; parameters: Numbers[]; m: Numbers; v: Numbers }[] = [
  {
    options: { learningRate: 2e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    parameters: [
      [0.9998000264167786, -0.4997999966144562, 0.25, -0.00019998000061605126],
      [0.9996135830879211, -0.4998988211154938, 0.25006166100502014, -0.00034881182364188135],
      [0.9996978640556335, -0.4999942481517792, 0.25010377168655396, -0.00046385498717427254],
    ],
    m: [-0.13699999451637268, 0.05974999815225601, -8.999999634440314e-10, 0.26999810338020325],
    v: [0.004311937838792801, 0.0006399375852197409, 9.990001137000991e-20, 0.0089910002425313],
  },
  {
    options: { learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 },
    parameters: [
      [0.9890000224113464, -0.4895000457763672, 0.24975000321865082, -0.009900989942252636],
      [0.9786181449890137, -0.4939034879207611, 0.24955251812934875, -0.01724090613424778],
      [0.9817641973495483, -0.4981914758682251, 0.24933598935604095, -0.022978343069553375],
    ],
    m: [-0.13699999451637268, 0.05974999815225601, -8.999999634440314e-10, 0.26999810338020325],
    v: [0.21424999833106995, 0.030320310965180397, 4.749999881572975e-18, 0.42750000953674316],
  },
  {
    options: { learningRate: 1e-3, beta1: 0.8, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.01 },
    parameters: [
      [0.9989919662475586, -0.4989989697933197, 0.24999749660491943, -9.09090886125341e-5],
      [0.9980693459510803, -0.49953848123550415, 0.24999499320983887, -0.0008742683567106724],
      [0.9985626339912415, -0.5000336766242981, 0.2499924898147583, -0.0014418184291571379],
    ],
    m: [-0.29600003361701965, 0.11300000548362732, -1.5999999103399887e-9, 0.4799928069114685],
    v: [0.04306899756193161, 0.0063375625759363174, 9.899999491958217e-19, 0.08909999579191208],
  },
];

/** Equal to a few units in the last place of f32: torch fuses some multiply-adds and its square root is not correctly rounded. */
function expectClose(found: Float32Array, golden: readonly number[]): void {
  for (const [i, want] of golden.entries()) expect(Math.abs(found[i]! - want)).toBeLessThanOrEqual(4 * 2 ** -24 * Math.abs(want));
}

const start = (): { parameter: Float32Array; m: Float32Array; v: Float32Array } => ({
  parameter: Float32Array.of(1, -0.5, 0.25, 0),
  m: new Float32Array(4),
  v: new Float32Array(4),
});

describe("adamWStep", () => {
  it.each(GOLDENS)("takes the steps of torch with $options", ({ options, parameters, m, v }) => {
    let now = start();
    for (const [i, gradient] of GRADIENTS.entries()) {
      now = adamWStep(now.parameter, Float32Array.from(gradient), now, { ...options, step: i + 1 });
      expectClose(now.parameter, parameters[i]!);
    }
    expectClose(now.m, m);
    expectClose(now.v, v);
  });

  it("gives the one step that bitsandbytes documents: p = 0.5, g = ∓1, lr 0.01, decay 0.1", () => {
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 1 };
    const zero = { m: new Float32Array(2), v: new Float32Array(2) };
    const { parameter } = adamWStep(Float32Array.of(0.5, 0.5), Float32Array.of(-1, 1), zero, options);
    expectClose(parameter, [0.5095000267028809, 0.4895000159740448]);
  });

  it("first moves by the learning rate against the gradient's sign, however large the gradient", () => {
    const options = { ...GOLDENS[0]!.options, step: 1 };
    const zero = { m: new Float32Array(3), v: new Float32Array(3) };
    const { parameter } = adamWStep(new Float32Array(3), Float32Array.of(1e-3, -1, 1e6), zero, options);
    expect([...parameter].map((p) => Math.round(p / 2e-6))).toEqual([-100, 100, -100]);
  });

  it("leaves what it is given as it is", () => {
    const before = start();
    adamWStep(before.parameter, Float32Array.from(GRADIENTS[0]!), before, { ...GOLDENS[0]!.options, step: 1 });
    expect(before).toEqual(start());
  });

  it("refuses arrays of different lengths", () => {
    const { parameter, m, v } = start();
    expect(() => adamWStep(parameter, new Float32Array(3), { m, v }, { ...GOLDENS[0]!.options, step: 1 })).toThrow(ShapeError);
  });
});
