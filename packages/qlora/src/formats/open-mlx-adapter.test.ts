import { FormatError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import type { LinearModule } from "../config/model-part.ts";
import { AdapterMismatchError, UsageError } from "../error.ts";
import { memoryFolder } from "./folder.ts";
import { openMlxAdapter } from "./open-mlx-adapter.ts";
import { encodeSafetensors } from "./safetensors-layout.ts";

const linear = (name: string, outFeatures: number, inFeatures: number): LinearModule => {
  return { kind: "linear", name, outFeatures, inFeatures, bias: false, layer: 0, transposed: false, keep: false };
};
const base = [linear("model.layers.0.q_proj", 4, 3), linear("model.layers.0.up_proj", 5, 3)];

type Tensors = Record<string, readonly number[]>;
const sound: Tensors = { "model.layers.0.q_proj.lora_a": [3, 2], "model.layers.0.q_proj.lora_b": [2, 4] };

async function open(tensors: Tensors = sound, config: object = {}) {
  const stored = Object.entries(tensors).map(([name, shape]) => {
    const values = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i);
    return { name, dtype: "F32" as const, shape, data: new Uint8Array(values.buffer) };
  });
  const text = { fine_tune_type: "lora", lora_parameters: { rank: 2, scale: 20, dropout: 0.1 }, ...config };
  const files = new Map([
    ["adapter_config.json", new TextEncoder().encode(JSON.stringify(text))],
    ["adapters.safetensors", await encodeSafetensors(stored)],
  ]);
  return openMlxAdapter(memoryFolder(files, "a"), base);
}

test("matrices are turned, and the scale becomes an alpha", async () => {
  const { modules, settings } = await open();
  expect(settings).toMatchObject({ rank: 2, alpha: 40, dropout: 0.1, targetModules: ["model.layers.0.q_proj"], useDora: false });
  const lora = modules.get("model.layers.0.q_proj")!;
  expect(lora).toMatchObject({ rank: 2, scale: 20, a: { shape: [2, 3] }, b: { shape: [4, 2] } });
  expect([...new Float32Array((await lora.a.read()).buffer)]).toEqual([0, 2, 4, 1, 3, 5]);
  expect([...new Float32Array((await lora.a.read(4, 8)).buffer)]).toEqual([2, 4]);
});

test("modules of other ranks have them by their names", async () => {
  const { settings } = await open({ ...sound, "model.layers.0.up_proj.lora_a": [3, 1], "model.layers.0.up_proj.lora_b": [1, 5] });
  expect(settings.rankPattern).toEqual([
    ["model\\.layers\\.0\\.q_proj", 2],
    ["model\\.layers\\.0\\.up_proj", 1],
  ]);
  expect(settings.alphaPattern.map(([, alpha]) => alpha)).toEqual([40, 20]);
});

test("a DoRA has its lengths of rows", async () => {
  const { settings, modules } = await open({ ...sound, "model.layers.0.q_proj.m": [4] }, { fine_tune_type: "dora" });
  expect(settings.useDora).toBe(true);
  expect(modules.get("model.layers.0.q_proj")?.magnitude?.shape).toEqual([4]);
});

describe("refuses", () => {
  test.each<[string, Tensors, object, new (...args: never[]) => Error, RegExp]>([
    ["full fine-tuning", sound, { fine_tune_type: "full" }, UsageError, /fine_tune_type "full" is not supported/],
    ["a config without a scale", sound, { lora_parameters: { rank: 2 } }, FormatError, /scale" is missing/],
    ["other tensors", { ...sound, "model.norm.weight": [3] }, {}, UsageError, /holds "model\.norm\.weight"/],
    ["half a pair", { "model.layers.0.q_proj.lora_a": [3, 2] }, {}, FormatError, /lacks the tensor "model\.layers\.0\.q_proj\.lora_b"/],
    ["lengths of rows of no DoRA", { ...sound, "model.layers.0.q_proj.m": [4] }, {}, FormatError, /q_proj\.m/],
    ["a DoRA without them", sound, { fine_tune_type: "dora" }, FormatError, /lacks the tensor "model\.layers\.0\.q_proj\.m"/],
    [
      "other widths",
      { ...sound, "model.layers.0.q_proj.lora_a": [9, 2] },
      {},
      AdapterMismatchError,
      /lora_a should be \[3, 2\], and is \[9, 2\]/,
    ],
    [
      "modules the base has not",
      { ...sound, "lm_head.lora_a": [3, 2], "lm_head.lora_b": [2, 9] },
      {},
      AdapterMismatchError,
      /adapts "lm_head"/,
    ],
    ["a vector for a matrix", { ...sound, "model.layers.0.q_proj.lora_a": [6] }, {}, FormatError, /no matrix/],
    ["nothing", {}, {}, FormatError, /holds no adapter's matrices/],
  ])("%s", async (_, tensors, config, error, message) => {
    const opening = open(tensors, config);
    await expect(opening).rejects.toThrow(error);
    await expect(opening).rejects.toThrow(message);
  });
});
