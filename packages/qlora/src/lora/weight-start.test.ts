import { createPlainBackend } from "@qlora-js/backend-cpu";
import { type Backend, dequantize, key, nf4, normal, quantize, scope, type Tensor, tensor } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LinearModule } from "../config/model-part.ts";
import { UsageError } from "../error.ts";
import type { PeftAdapter } from "../formats/peft-adapter.ts";
import { type LoraSettings, loraSettings } from "../formats/peft-config.ts";
import { doubled, halved, joinResidual, type Matrices } from "./residual.ts";
import { residualStart, weightStart } from "./weight-start.ts";

const [rows, columns] = [20, 32];
const module: LinearModule = {
  kind: "linear",
  name: "q_proj",
  outFeatures: rows,
  inFeatures: columns,
  bias: false,
  layer: 0,
  transposed: false,
  keep: false,
};
const settings = (given: Partial<LoraSettings>): LoraSettings => loraSettings({ rank: 3, alpha: 7, targetModules: ["q_proj"], ...given });
const values = normal(key(1), rows * columns);

let backend: Backend;
let weight: Tensor;
beforeEach(() => {
  backend = createPlainBackend();
  weight = tensor(backend, values, [rows, columns]);
});
afterEach(() => {
  weight.dispose();
  expect(backend.memory().liveBuffers).toBe(0);
  backend.dispose();
});

const product = ({ a, b }: Matrices, rank: number, scale: number): Float64Array =>
  Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += scale * b[i * rank + k]! * a[k * columns + j]!;
    return sum;
  });
const norm = (x: Float64Array | Float32Array): number => Math.hypot(...x);
const difference = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array => Float64Array.from(a, (x, i) => x - b[i]!);

async function prepared(given: Partial<LoraSettings>): Promise<{ left: Float32Array; start: Matrices; scale: number }> {
  const chosen = settings(given);
  const begin = weightStart(chosen, [module], nf4(), 5)!;
  const made = await begin.prepare(module, weight)!;
  const left = await made.read();
  made.dispose();
  return { left, start: begin.starts.get("q_proj")!, scale: chosen.useRslora ? 7 / Math.sqrt(3) : 7 / 3 };
}

describe("PiSSA", () => {
  it.each(["pissa", "pissa_niter_16"] as const)("%s takes off the weight what the adapter begins with", async (init) => {
    const { left, start, scale } = await prepared({ init });
    const begun = product(start, 3, scale);
    expect(
      norm(
        difference(
          values,
          begun.map((x, i) => x + left[i]!),
        ),
      ),
    ).toBeLessThan(1e-5);
    expect(norm(left), "less is left").toBeLessThan(0.9 * norm(values));
    expect(norm(difference(start.a, (await prepared({ init })).start.a)), "the same again").toBe(0);
  });

  it.each([false, true])("is taken off to the same bits when the adapter is loaded (rsLoRA %s)", async (useRslora) => {
    const chosen = settings({ init: "pissa", useRslora });
    const { left, start } = await prepared({ init: "pissa", useRslora });
    expect(halved(doubled(chosen))).toEqual(chosen);
    const both = joinResidual({ a: start.a.map((x) => x + 1), b: start.b.map((x) => x - 1) }, start, 3);
    const stored = (data: Float32Array, shape: number[]) => {
      return {
        file: "f",
        dtype: "F32" as const,
        shape,
        byteLength: data.byteLength,
        read: async () => new Uint8Array(data.slice().buffer),
      };
    };
    const lora = { module: "q_proj", rank: 6, alpha: 14, scale: 14 / 6, a: stored(both.a, [6, columns]), b: stored(both.b, [rows, 6]) };
    const adapter = { folder: "f", settings: doubled(chosen), modules: new Map([["q_proj", lora]]) } as unknown as PeftAdapter;
    const again = await (await residualStart(adapter)).prepare(module, weight)!;
    expect(await again.read()).toEqual(left);
    again.dispose();
  });
});

describe("LoftQ", () => {
  it("leaves the weight, and begins with the largest part of what quantization takes off", async () => {
    const { left, start, scale } = await prepared({ init: "loftq" });
    expect(left).toEqual(values);
    const held = scope(backend, () => dequantize(quantize(weight, nf4())));
    const lost = difference(values, await held.read());
    held.dispose();
    expect(norm(difference(lost, product(start, 3, scale)))).toBeLessThan(0.85 * norm(lost));
  });

  it("over weights that are not quantized is refused", () => {
    expect(() => weightStart(settings({ init: "loftq" }), [module], null, 0)).toThrow(UsageError);
  });
});

it("modules that are not adapted stay as they are, and other ways to begin ask for nothing", () => {
  expect(weightStart(settings({ init: "pissa", targetModules: ["k_proj"] }), [module], nf4(), 0)!.prepare(module, weight)).toBeUndefined();
  for (const init of ["default", "gaussian", "random"] as const)
    expect(weightStart(settings({ init }), [module], nf4(), 0)).toBeUndefined();
});
