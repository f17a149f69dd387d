// Merges beside PEFT's own, weight by weight, and what transformers makes of the folder: on tiny models of some families, in f32 and in bf16.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, numberToBf16 } from "@qlora-js/core";
import { generate, linearModules, loadModel, mergedFiles, openModelFiles, openPeftAdapter, readModelConfig } from "@qlora-js/qlora";
import { openFolder, openSafetensorsFile, writeModelFolder, writeSafetensorsFile } from "@qlora-js/qlora/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEEDS_PYTHON, python, runPython } from "../python/python.ts";
import { FAMILIES_FOLDER } from "../reference/families.ts";

const reference = FAMILIES_FOLDER;
const present = existsSync(reference);
const reason = present ? NEEDS_PYTHON : "skipped: ../shared/reference/families is absent";

interface Compared {
  readonly different: number;
  readonly elements: number;
  readonly worst: number;
  readonly missing: readonly string[];
  readonly continued?: readonly number[];
}

const CASES = [
  ["llama", "f32"],
  ["llama_tied_rope3", "bf16"],
  ["gemma3_text", "bf16"],
  ["gpt_neox", "f32"],
  ["t5", "f32"],
  ["t5", "bf16"],
] as const;
const PROMPT = [5, 17, 42, 99, 7, 200, 31, 64];

describe.skipIf(!present || python() === undefined)(`PEFT and transformers (${reason})`, () => {
  let backend: Backend;
  let scratch: string;
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 1 });
    scratch = mkdtempSync(join(tmpdir(), "qlora-merge-python-"));
  });
  afterAll(() => {
    backend.dispose();
    rmSync(scratch, { recursive: true });
  });

  /** The family's folder with its weights in bf16. */
  async function inBf16(name: string): Promise<string> {
    const folder = join(scratch, `${name}-bf16`);
    cpSync(join(reference, name), folder, { recursive: true });
    const config = readFileSync(join(folder, "config.json"), "utf8");
    writeFileSync(join(folder, "config.json"), config.replace('"dtype": "float32"', '"dtype": "bfloat16"'));
    const file = await openSafetensorsFile(join(reference, name, "model.safetensors"));
    const tensors = [...file.tensors].map(([key, { shape, read }]) => {
      const data = async () => new Uint8Array(Uint16Array.from(new Float32Array((await read()).buffer), numberToBf16).buffer);
      return { name: key, shape, dtype: "BF16" as const, data };
    });
    await writeSafetensorsFile(join(folder, "model.safetensors"), tensors);
    await file.close();
    return folder;
  }

  it.each(CASES)("%s in %s: the same weights", async (name, dtype) => {
    const base = dtype === "f32" ? join(reference, name) : await inBf16(name);
    const folder = await openFolder(base);
    const config = await readModelConfig(folder);
    const files = await openModelFiles(folder);
    const adapter = await openPeftAdapter(await openFolder(join(reference, name, "adapter")), linearModules(config));
    const merged = mergedFiles({ backend, config, files, adapter, base: null, precision: "file" });
    const to = join(scratch, `${name}-${dtype}-merged`);
    await writeModelFolder(to, folder, merged, { maxShardBytes: 1e9 });
    const prompts = dtype === "f32" && config.kind === "decoder" ? [PROMPT.join(",")] : [];
    const compared = JSON.parse(await runPython("./merge.py", [base, join(reference, name, "adapter"), to, ...prompts])) as Compared;
    expect(compared.missing).toEqual([]);
    // sums of four products in another order: a bit of f32 at most, which rarely moves a bf16 to its neighbour
    expect(compared.worst).toBeLessThan(dtype === "f32" ? 5e-8 : 2e-3);
    if (dtype === "bf16") expect(compared.different).toBeLessThan(compared.elements * 1e-4);
    if (compared.continued) {
      const model = await loadModel(backend, config, merged, { format: null });
      const ids: number[] = [];
      for await (const id of generate(model, PROMPT, { maxNewTokens: 16, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [] }))
        ids.push(id);
      expect(compared.continued).toEqual(ids);
      model.dispose();
    }
    await adapter.close();
    await files.close();
  });
});
