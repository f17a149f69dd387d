import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { type Backend, FormatError, nf4, Pager, tensor } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { StorageError } from "../error.ts";
import { loraSettings } from "../formats/peft-config.ts";
import { LoraAdapter } from "../lora/lora-adapter.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { loadModel } from "../models/load-model.ts";
import { ADAMW_DEFAULTS, PagedAdamW } from "../optimizer/paged-adamw.ts";
import { randomModel } from "../plan/random-model.fixture.ts";
import { loadMoments, newestCheckpoint, saveCheckpoint, type Trained, verifyCheckpoint } from "./checkpoint.ts";

const config = parseModelConfig({
  model_type: "llama",
  vocab_size: 16,
  hidden_size: 64,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
});

describe("a saved step", () => {
  let run: string;
  let backend: Backend;
  let model: LanguageModel;
  let pager: Pager;
  let trained: Trained;
  beforeEach(async () => {
    run = await mkdtemp(join(tmpdir(), "qlora-checkpoint-"));
    backend = createPlainBackend();
    model = await loadModel(backend, config, await randomModel(config, "f32"), { format: nf4() });
    const adapter = LoraAdapter.create(model, loraSettings({ rank: 64, alpha: 64, targetModules: ["q_proj", "v_proj"] }), 0);
    pager = new Pager(backend);
    trained = { adapter, optimizer: newOptimizer(adapter) };
  });
  afterEach(async () => {
    pager.dispose();
    model.dispose();
    expect(backend.memory().liveBuffers).toBe(0);
    await rm(run, { recursive: true });
  });
  const newOptimizer = (adapter: LoraAdapter) => new PagedAdamW(adapter.parameters(), pager, { ...ADAMW_DEFAULTS, bits: 8 });

  /** One update, so that matrices and moments are other ones. */
  async function update(): Promise<void> {
    const grads = [...trained.adapter.parameters().values()].map(({ shape }) =>
      tensor(
        backend,
        Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.sin(i)),
        shape,
      ),
    );
    const one = tensor(backend, [1], []);
    await trained.optimizer.step(grads, one, 1e-2);
    for (const t of [one, ...grads]) t.dispose();
  }
  const steps = async (): Promise<string[]> => (await readdir(join(run, "checkpoints"))).sort();

  it("stays while it is one of the two newest, and its adapter is the run's", async () => {
    for (const step of [1, 2, 10]) {
      await update();
      await saveCheckpoint(run, step, trained);
    }
    expect(await steps()).toEqual(["step-000002", "step-000010"]);
    const newest = await newestCheckpoint(run);
    expect(newest).toEqual({ step: 10, folder: join(run, "checkpoints", "step-000010") });
    const adapter = (folder: string): Promise<Buffer> => readFile(join(folder, "adapter", "adapter_model.safetensors"));
    expect((await adapter(run)).equals(await adapter(newest!.folder))).toBe(true);
  });

  it("gives the moments back, 8-bit ones and their scales", async () => {
    await update();
    const saved = await saveCheckpoint(run, 1, trained);
    const other = newOptimizer(trained.adapter);
    await loadMoments(saved, other, trained.adapter.parameters().keys());
    expect(other.steps).toBe(1);
    for (const name of trained.optimizer.names())
      for (const part of trained.optimizer.specs(name).keys())
        expect(await other.stateOf(name, part)).toEqual(await trained.optimizer.stateOf(name, part));
  });

  it("is read back and compared", async () => {
    await update();
    const saved = await saveCheckpoint(run, 1, trained);
    await verifyCheckpoint(saved, trained);
    for (const file of ["adapter/adapter_model.safetensors", "state/optimizer.safetensors"]) {
      const path = join(saved.folder, file);
      const bytes = await readFile(path);
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(path, bytes);
      await expect(verifyCheckpoint(saved, trained)).rejects.toMatchObject({ name: "StorageError", path });
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(path, bytes);
    }
  });

  it("is not what a killed process was writing; that is cleared away", async () => {
    await update();
    const saved = await saveCheckpoint(run, 1, trained);
    const partial = join(run, "checkpoints", ".step-000002.0123456789ab.tmp");
    await cp(saved.folder, partial, { recursive: true });
    expect((await newestCheckpoint(run))?.step).toBe(1);
    expect(await steps()).toEqual(["step-000001"]);
  });

  it("is unharmed where the next cannot be written", async () => {
    await update();
    const saved = await saveCheckpoint(run, 1, trained);
    await mkdir(join(run, "blocked"));
    await writeFile(join(run, "blocked", "checkpoints"), "no folder");
    await expect(saveCheckpoint(join(run, "blocked"), 2, trained)).rejects.toThrow(StorageError);
    await verifyCheckpoint(saved, trained);
  });

  it("of other parameters, or damaged, is refused", async () => {
    await update();
    const saved = await saveCheckpoint(run, 1, trained);
    const names = [...trained.adapter.parameters().keys()];
    const moments = join(saved.folder, "state", "optimizer.safetensors");
    const bytes = await readFile(moments);
    await writeFile(moments, bytes.subarray(0, bytes.length - 8));
    await expect(loadMoments(saved, trained.optimizer, names)).rejects.toThrow(FormatError);
    await writeFile(moments, bytes);
    await writeFile(join(saved.folder, "state", "trainer.json"), '{"step":7}');
    await expect(loadMoments(saved, trained.optimizer, names)).rejects.toThrow(/is of step 7, not of 1/);
  });

  it("is none before the first", async () => {
    expect(await newestCheckpoint(run)).toBeUndefined();
  });
});
