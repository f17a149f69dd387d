// What PEFT computes with adapters of every kind on tiny models: the variants in ../shared/reference/families, and loss and gradients of reference/adapters.json.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Backend, nf4 } from "@qlora-js/core";
import {
  adapterTensors,
  type Batch,
  type DecoderConfig,
  encodeSafetensors,
  formatPeftConfig,
  LoraAdapter,
  linearModules,
  loadModel,
  loraSettings,
  memoryFolder,
  mergedFiles,
  mlxAdapter,
  openAdapter,
  openModelFiles,
  parsePeftConfig,
  readModelConfig,
  type WeightStart,
  weightStart,
} from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../backends.ts";
import {
  decoderBatch,
  FAMILIES_FOLDER,
  familyFolder,
  type GoldenTensors,
  goldenTensors,
  hasFamilies,
  loadFolder,
  logitsOf,
  lossAndGradients,
  relativeDifference,
  WITHOUT_FAMILIES,
  worstLogit,
} from "../reference/families.ts";

const reference = resolve(import.meta.dirname, "../reference");

const RECOMPUTE = ["cheap", "all"] as const;

const batchOf = (golden: GoldenTensors): Batch =>
  decoderBatch(golden.get("input_ids") as Int32Array, golden.get("labels") as Int32Array, 24);

interface Case {
  readonly family: string;
  readonly four_bit: boolean;
  readonly config: object;
  readonly loss: number;
}
const { cases } = JSON.parse(readFileSync(join(reference, "adapters.json"), "utf8")) as { cases: Record<string, Case> };

/** The formula of make_adapters.py. */
async function setByFormula(adapter: LoraAdapter): Promise<void> {
  const parameters = adapter.parameters();
  for (const [k, name] of [...parameters.keys()].sort().entries()) {
    const p = parameters.get(name)!;
    const set = (value: number, i: number): number => {
      if (name.includes("lora_A")) return 0.1 * Math.sin(0.37 * i + k);
      if (name.includes("lora_B")) return 0.02 * Math.cos(0.53 * i + k);
      return name.includes("magnitude") ? value * (1 + 0.05 * Math.sin(i + k)) : value + 0.02 * Math.sin(0.11 * i + k);
    };
    const values = (await p.read()).map(set);
    p.backend.write(p.storage.buffer, new Uint8Array(values.buffer));
  }
}

describe.skipIf(!hasFamilies).each(backends.filter(({ name }) => name === "cpu, 2 threads" || name === "webgpu"))(
  `adapters on $name${WITHOUT_FAMILIES}`,
  ({ create }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterEach(() => expect(backend.memory().liveBuffers, "live buffers after the test").toBe(0));
    afterAll(() => backend.dispose());

    it.each(["dora", "modules_to_save", "patterns", "layers", "rslora"])(
      "adapter_%s of llama gives PEFT's logits and loss",
      async (name) => {
        const golden = await goldenTensors(join(FAMILIES_FOLDER, "llama/golden.safetensors"));
        const { variants } = JSON.parse(readFileSync(join(FAMILIES_FOLDER, "llama/golden.json"), "utf8"));
        const model = await loadFolder(backend, familyFolder("llama"), null);
        const stored = await openAdapter(await openFolder(join(FAMILIES_FOLDER, `llama/adapter_${name}`)), model.config);
        const adapter = await LoraAdapter.load(model, stored);
        await stored.close();
        const batch = batchOf(golden);
        const expected = golden.get(`variant.${name}.logits`) as Float32Array;
        const mask = golden.get("attention_mask") as Int32Array;
        expect(worstLogit(await logitsOf(model, batch), expected, mask)).toBeLessThan(3e-5);
        const { loss } = await lossAndGradients(model, adapter, batch, RECOMPUTE);
        expect(Math.abs(loss - variants[name].loss)).toBeLessThan(5e-6);
        adapter.detach();
        expect(worstLogit(await logitsOf(model, batch), golden.get("logits") as Float32Array, mask)).toBeLessThan(3e-5);
        model.dispose();
      },
    );

    it.each(["dora", "modules_to_save", "patterns"])("adapter_%s merged into the weights gives the same logits", async (name) => {
      const golden = await goldenTensors(join(FAMILIES_FOLDER, "llama/golden.safetensors"));
      const folder = await openFolder(join(FAMILIES_FOLDER, "llama"));
      const [config, files] = [await readModelConfig(folder), await openModelFiles(folder)];
      const adapter = await openAdapter(await openFolder(join(FAMILIES_FOLDER, `llama/adapter_${name}`)), config);
      const merged = mergedFiles({ backend, config, files, adapter, base: null, precision: "file" });
      const model = await loadModel(backend, config, merged, { format: null });
      await adapter.close();
      await files.close();
      const expected = golden.get(`variant.${name}.logits`) as Float32Array;
      expect(worstLogit(await logitsOf(model, batchOf(golden)), expected, golden.get("attention_mask") as Int32Array)).toBeLessThan(3e-5);
      model.dispose();
    });

    it("PiSSA over NF4 merged into NF4's weights gives the logits it was trained with, and into the 16-bit ones nearly", async () => {
      const golden = await goldenTensors(join(FAMILIES_FOLDER, "llama/golden.safetensors"));
      const folder = await openFolder(join(FAMILIES_FOLDER, "llama"));
      const [config, files] = [await readModelConfig(folder), await openModelFiles(folder)];
      const settings = loraSettings({ rank: 4, alpha: 8, targetModules: "all-linear", init: "pissa" });
      const start = weightStart(settings, linearModules(config), nf4(), 0)!;
      const prepare: WeightStart["prepare"] = (module, weight) => start.prepare(module, weight);
      const model = await loadModel(backend, config, files, { format: nf4(), prepare });
      const adapter = LoraAdapter.create(model, settings, 0, start.starts);
      const written = [];
      for (const t of adapterTensors(adapter.storedSettings, adapter.toStore()))
        written.push({ ...t, data: typeof t.data === "function" ? await t.data() : t.data });
      const trained = await logitsOf(model, batchOf(golden));
      const stored = await openAdapter(
        memoryFolder(
          new Map([
            ["adapter_config.json", new TextEncoder().encode(formatPeftConfig(adapter.storedSettings))],
            ["adapter_model.safetensors", await encodeSafetensors(written, { format: "pt", qlora_residual: "true" })],
          ]),
        ),
        config,
      );
      model.dispose();
      expect(stored.residual).toBe(true);
      const mask = golden.get("attention_mask") as Int32Array;
      for (const [base, expected, tolerance] of [
        [nf4(), trained, 3e-5],
        [null, golden.get("logits") as Float32Array, 3e-4],
      ] as const) {
        const merged = await loadModel(backend, config, mergedFiles({ backend, config, files, adapter: stored, base, precision: "f32" }), {
          format: null,
        });
        expect(worstLogit(await logitsOf(merged, batchOf(golden)), expected, mask)).toBeLessThan(tolerance);
        merged.dispose();
      }
      await files.close();
    });

    it.each(["dora", "patterns", "rslora", "layers"])("adapter_%s written for MLX is read back as the same adapter", async (name) => {
      const golden = await goldenTensors(join(FAMILIES_FOLDER, "llama/golden.safetensors"));
      const model = await loadFolder(backend, familyFolder("llama"), null);
      const peft = await openAdapter(await openFolder(join(FAMILIES_FOLDER, `llama/adapter_${name}`)), model.config);
      const { tensors, config } = mlxAdapter(model.config as DecoderConfig, peft);
      const files = { "adapters.safetensors": await encodeSafetensors(tensors), "adapter_config.json": new TextEncoder().encode(config) };
      await peft.close();
      const stored = await openAdapter(memoryFolder(new Map(Object.entries(files))), model.config);
      await LoraAdapter.load(model, stored);
      await stored.close();
      const expected = golden.get(`variant.${name}.logits`) as Float32Array;
      expect(worstLogit(await logitsOf(model, batchOf(golden)), expected, golden.get("attention_mask") as Int32Array)).toBeLessThan(3e-5);
      model.dispose();
    });

    it.each(Object.entries(cases))("%s has PEFT's loss and gradients", async (name, { family, four_bit, config, loss }) => {
      const expected = await goldenTensors(join(reference, "adapters.safetensors"));
      const model = await loadFolder(backend, familyFolder(family), four_bit ? nf4() : null);
      const adapter = LoraAdapter.create(model, parsePeftConfig(name, config).settings, 0);
      await setByFormula(adapter);
      const names = [...expected.keys()].filter((key) => key.startsWith(`${name}/`)).map((key) => key.slice(name.length + 1));
      expect([...adapter.parameters().keys()].sort()).toEqual(names.sort());
      const found = await lossAndGradients(
        model,
        adapter,
        batchOf(await goldenTensors(join(familyFolder(family), "golden.safetensors"))),
        RECOMPUTE,
      );
      expect(Math.abs(found.loss - loss)).toBeLessThan(5e-6);
      for (const [key, g] of found.grads) {
        const step = Math.ceil(g.length / 1024);
        const part = g.filter((_, i) => i % step === 0);
        expect(relativeDifference(part, expected.get(`${name}/${key}`) as Float32Array), key).toBeLessThan(2e-5);
      }
      model.dispose();
    });
  },
);
