// PEFT itself loads the adapters that are written here, of every kind, and computes with them what is computed here.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, noGrad, scope } from "@qlora-js/core";
import {
  LoraAdapter,
  type LoraSettings,
  linearModules,
  loadModel,
  logits as logitsOf,
  loraSettings,
  openAdapter,
  openModelFiles,
  pissaAsLora,
  readModelConfig,
  type WeightStart,
  weightStart,
} from "@qlora-js/qlora";
import { openFolder, writePeftAdapter } from "@qlora-js/qlora/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEEDS_PYTHON, python, runPython } from "../python/python.ts";
import { FAMILIES_FOLDER } from "../reference/families.ts";

const families = FAMILIES_FOLDER;
const ready = python() !== undefined && existsSync(families);

const settings = (given: Partial<LoraSettings>): LoraSettings =>
  loraSettings({ rank: 2, alpha: 4, targetModules: ["q_proj", "down_proj"], ...given });

const KINDS: readonly (readonly [string, string, LoraSettings])[] = [
  ["DoRA", "llama", settings({ useDora: true, targetModules: "all-linear" })],
  ["DoRA over Conv1D", "gpt2", settings({ useDora: true, targetModules: ["c_attn", "c_fc"], fanInFanOut: true })],
  ["rsLoRA with patterns", "llama", settings({ useRslora: true, rankPattern: [["1.mlp.down_proj", 5]] })],
  ["head and embeddings", "llama", settings({ modulesToSave: ["lm_head", "embed_tokens"] })],
  ["a tied model's head", "llama_tied_rope3", settings({ modulesToSave: ["lm_head"] })],
  ["a tied model's head and embeddings", "llama_tied_rope3", settings({ modulesToSave: ["lm_head", "embed_tokens"] })],
  ["a head by another name", "gpt_neox", settings({ targetModules: ["dense"], modulesToSave: ["lm_head"] })],
  ["norms", "llama", settings({ modulesToSave: ["norm"] })],
  ["all biases", "qwen2", settings({ bias: "all" })],
  ["biases of adapted layers", "qwen2", settings({ bias: "lora_only", useDora: true })],
  ["PiSSA", "llama", settings({ init: "pissa" })],
  ["PiSSA with rsLoRA", "qwen2", settings({ init: "pissa", useRslora: true })],
];

describe.skipIf(!ready)(`PEFT loads what is written (${NEEDS_PYTHON}, and by ../shared/reference/families)`, () => {
  let backend: Backend;
  let folder: string;
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 1 });
    folder = mkdtempSync(join(tmpdir(), "qlora-peft-"));
  });
  afterAll(() => {
    backend.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A model, and what is taken off its weights by an adapter that begins so. */
  async function load(family: string, chosen: LoraSettings) {
    const from = await openFolder(join(families, family));
    const config = await readModelConfig(from);
    const files = await openModelFiles(from);
    const start: WeightStart | undefined = weightStart(chosen, linearModules(config), null, 0);
    const prepare = start && { prepare: (...given: Parameters<WeightStart["prepare"]>) => start.prepare(...given) };
    const model = await loadModel(backend, config, files, { format: null, ...prepare });
    await files.close();
    return { model, start };
  }

  it.each(KINDS)("%s on %s", async (kind, family, chosen) => {
    const { model, start } = await load(family, chosen);
    const adapter = LoraAdapter.create(model, chosen, 3, start?.starts);
    for (const [k, p] of [...adapter.parameters().values()].entries()) {
      const values = (await p.read()).map((x, i) => x + 0.03 * Math.sin(0.37 * i + k));
      backend.write(p.storage.buffer, new Uint8Array(values.buffer));
    }
    const ids = Array.from({ length: 12 }, (_, i) => 3 + ((i * 37) % 250));
    const batch = { inputIds: Int32Array.from(ids), batch: 1, length: ids.length };
    const made = noGrad(backend, () => scope(backend, () => logitsOf(model, model.hidden(batch, { dropoutKey: null }))));
    const ours = await made.read();
    made.dispose();
    const path = join(folder, kind.replaceAll(/\W/g, ""));
    const more = { whole: adapter.wholeToStore(), residual: adapter.taken !== undefined };
    await writePeftAdapter(path, adapter.storedSettings, adapter.toStore(), more);
    model.dispose();
    const said = JSON.parse(await runPython("./load_adapter.py", [join(families, family), path], { input: JSON.stringify([ids]) }));
    expect(said.warnings).toEqual([]);
    const theirs = said.logits as number[];
    expect(theirs).toHaveLength(ours.length);
    expect(Math.max(...theirs.map((x, i) => Math.abs(x - ours[i]!)))).toBeLessThan(5e-5);
  });

  it.each(["llama", "gpt2"])("an adapter of %s that PEFT began by PiSSA and saved as it was is converted to plain LoRA", async (family) => {
    const ids = Array.from({ length: 12 }, (_, i) => 3 + ((i * 37) % 250));
    const path = join(folder, `pissa-${family}`);
    const said = await runPython("./load_adapter.py", [join(families, family), "--save-pissa", path], { input: JSON.stringify([ids]) });
    const theirs = JSON.parse(said).logits as number[];
    const from = await openFolder(join(families, family));
    const [config, files] = [await readModelConfig(from), await openModelFiles(from)];
    await expect(openAdapter(await openFolder(path), config)).rejects.toThrow(/qlora export/);
    const stored = await openAdapter(await openFolder(path), config, { allowPissa: true });
    const plain = await pissaAsLora(stored, config, files);
    const model = await loadModel(backend, config, files, { format: null });
    await LoraAdapter.load(model, plain);
    for (const opened of [stored, files]) await opened.close();
    const batch = { inputIds: Int32Array.from(ids), batch: 1, length: ids.length };
    const made = noGrad(backend, () => scope(backend, () => logitsOf(model, model.hidden(batch, { dropoutKey: null }))));
    const ours = await made.read();
    made.dispose();
    model.dispose();
    expect(Math.max(...theirs.map((x, i) => Math.abs(x - ours[i]!)))).toBeLessThan(5e-5);
  });

  it("PiSSA begins with what PEFT's exact PiSSA begins with", async () => {
    const name = "model.layers.1.mlp.up_proj";
    const chosen = settings({ init: "pissa", targetModules: "all-linear", rank: 4, alpha: 8 });
    const { model, start } = await load("llama", chosen);
    const { inFeatures, outFeatures } = model.linears().get(name)!;
    model.dispose();
    const { a, b } = start!.starts.get(name)!;
    const theirs = JSON.parse(await runPython("./load_adapter.py", [join(families, "llama"), "--pissa", "4", "8", name])) as number[];
    let worst = 0;
    for (let i = 0; i < outFeatures; i++)
      for (let j = 0; j < inFeatures; j++) {
        let product = 0;
        for (let k = 0; k < 4; k++) product += 2 * b[i * 4 + k]! * a[k * inFeatures + j]!;
        worst = Math.max(worst, Math.abs(product - theirs[i * inFeatures + j]!));
      }
    expect(worst).toBeLessThan(2e-6);
  });
});
