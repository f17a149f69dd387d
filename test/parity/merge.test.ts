// What comes out of a merge on tiny models of every family: logits as after PEFT's merge_and_unload (reference/FAMILIES.md), read back from GGUF, and
// computed by llama.cpp.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, nf4, type QFormat } from "@qlora-js/core";
import {
  type DecoderConfig,
  type GgufModelSource,
  ggufLora,
  ggufModel,
  type LanguageModel,
  LoraAdapter,
  linearModules,
  loadModel,
  type ModelConfig,
  type ModelFiles,
  mergedFiles,
  openGgufModel,
  openModelFiles,
  openPeftAdapter,
  type PeftAdapter,
  parseModelConfig,
  readModelConfig,
  Tokenizer,
} from "@qlora-js/qlora";
import { openFile, openFolder, writeGgufFile } from "@qlora-js/qlora/node";
import type { Llama } from "node-llama-cpp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  continueGreedily,
  FAMILIES,
  familyFolder,
  type GoldenTensors,
  goldenInputs,
  goldenTensors,
  hasFamilies,
  type Inputs,
  logitsOf,
  WITHOUT_FAMILIES,
  worstLogit,
} from "../reference/families.ts";
import { continueWithLlamaCpp, openLlamaCpp } from "./llama-cpp.ts";

const llama = await openLlamaCpp();
const without = llama ? "" : " (skipped: node-llama-cpp has no binary here)";

/** What llama.cpp computes otherwise, and why. */
const UNKNOWN_TO_LLAMA_CPP: Readonly<Record<string, string>> = {
  mistral: "llama.cpp has no windows for Llamas",
  smollm3: "llama.cpp takes every fourth layer to be without rotary positions",
  t5: "T5 is not written as GGUF",
  t5_v10: "T5 is not written as GGUF",
};
/** Ten times float32's own noise (FAMILIES.md). */
const TOLERANCE = 5e-5;

interface Golden {
  readonly greedy: { readonly prompt: number[]; readonly tokens: number[] };
}

let backend: Backend;
let scratch: string;
beforeAll(async () => {
  backend = await createCpuBackend({ threads: 1 });
  scratch = mkdtempSync(join(tmpdir(), "qlora-merge-"));
});
afterEach(() => expect(backend.memory().liveBuffers, "live buffers after the test").toBe(0));
afterAll(async () => {
  backend.dispose();
  rmSync(scratch, { recursive: true });
  await llama?.dispose();
});

/** A token a byte: llama.cpp's binding asks for some tokenizer, and these models have none. */
function byteTokenizer(): GgufModelSource["text"] {
  const visible = [...range(33, 127), ...range(161, 173), ...range(174, 256)];
  const hidden = range(0, 256).filter((byte) => !visible.includes(byte));
  const letters = [...visible, ...hidden.map((_, i) => 256 + i)].map((code) => String.fromCodePoint(code));
  const vocab = Object.fromEntries(letters.map((letter, id) => [letter, id]));
  const step = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const files = { tokenizer: { model: { type: "BPE", vocab, merges: [] }, pre_tokenizer: step, decoder: step } };
  return { files, tokenizer: Tokenizer.from(files) };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe.skipIf(!hasFamilies).each(FAMILIES)(`%s${WITHOUT_FAMILIES}`, (name) => {
  let config: ModelConfig;
  let files: ModelFiles;
  let adapter: PeftAdapter;
  let golden: Golden;
  let goldens: GoldenTensors;
  let inputs: Inputs;
  let mask: Int32Array;
  beforeAll(async () => {
    const folder = await openFolder(familyFolder(name));
    config = await readModelConfig(folder);
    files = await openModelFiles(folder);
    adapter = await openPeftAdapter(await openFolder(join(familyFolder(name), "adapter")), linearModules(config));
    golden = JSON.parse(readFileSync(join(familyFolder(name), "golden.json"), "utf8")) as Golden;
    goldens = await goldenTensors(join(familyFolder(name), "golden.safetensors"));
    ({ inputs, mask } = goldenInputs(goldens));
  });
  afterAll(async () => {
    await adapter.close();
    await files.close();
  });

  const merged = (base: QFormat | null): ModelFiles => mergedFiles({ backend, config, files, adapter, base, precision: "file" });
  const load = (from: ModelFiles, format: QFormat | null = null, as: ModelConfig = config): Promise<LanguageModel> =>
    loadModel(backend, as, from, { format });

  it("computes what the model computes after PEFT's merge", async () => {
    const model = await load(merged(null));
    expect(worstLogit(await logitsOf(model, inputs), goldens.get("merged.logits") as Float32Array, mask)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("merged into NF4's weights computes what NF4 with the adapter computes", async () => {
    const model = await load(merged(nf4()));
    const found = await logitsOf(model, inputs);
    model.dispose();
    const trained = await load(files, nf4());
    await LoraAdapter.load(trained, adapter);
    expect(worstLogit(found, await logitsOf(trained, inputs), mask)).toBeLessThan(TOLERANCE);
    trained.dispose();
  });

  const unknown = UNKNOWN_TO_LLAMA_CPP[name];
  describe.skipIf(unknown !== undefined)(`as GGUF${unknown === undefined ? "" : ` (skipped: ${unknown})`}`, () => {
    // The little Gemmas scale attention as no real one does, and llama.cpp takes the real ones' scale for granted.
    const usual = (): DecoderConfig => {
      const { attention, headDim, ...rest } = config as DecoderConfig;
      return { ...rest, headDim, attention: { ...attention, scale: headDim ** -0.5 } };
    };
    const asEver = name.startsWith("gemma") ? "as it is here" : "as by transformers";

    async function written(from: ModelFiles): Promise<string> {
      const path = join(scratch, `${name}.gguf`);
      const { metadata, tensors } = ggufModel({ name, config: usual(), files: from, text: byteTokenizer() }, "F32");
      await writeGgufFile(path, metadata, tensors);
      return path;
    }

    it("is read back as the same model", async () => {
      const gguf = await openGgufModel(await openFile(await written(merged(null))));
      const read = await load(gguf.files, null, parseModelConfig(gguf.config));
      const direct = await load(merged(null), null, usual());
      expect(worstLogit(await logitsOf(read, inputs), await logitsOf(direct, inputs), mask)).toBeLessThan(1e-5);
      for (const model of [read, direct]) model.dispose();
      await gguf.files.close();
    });

    it.skipIf(!llama)(`is continued by llama.cpp ${asEver}${without}`, async () => {
      const { prompt, tokens } = golden.greedy;
      const model = await load(files, null, usual());
      const expected = asEver === "as by transformers" ? tokens : await continueGreedily(model, prompt);
      model.dispose();
      const found = await continueWithLlamaCpp(llama as Llama, { model: await written(files), prompt, count: 16 });
      expect(found.ids).toEqual(expected);
    });

    it.skipIf(!llama).each(name === "llama" ? ["adapter", "adapter_rslora", "adapter_patterns", "adapter_layers"] : ["adapter"])(
      `is continued by llama.cpp with %s as GGUF LoRA as it is here${without}`,
      async (variant) => {
        const stored = await openPeftAdapter(await openFolder(join(familyFolder(name), variant)), linearModules(config));
        const lora = join(scratch, `${name}-${variant}.gguf`);
        const { metadata, tensors } = ggufLora(variant, usual(), stored);
        await writeGgufFile(lora, metadata, tensors);
        const model = await load(files, null, usual());
        const { prompt } = golden.greedy;
        const plain = await continueGreedily(model, prompt);
        await LoraAdapter.load(model, stored);
        await stored.close();
        const expected = await continueGreedily(model, prompt);
        model.dispose();
        const found = await continueWithLlamaCpp(llama as Llama, { model: await written(files), lora, prompt, count: 16 });
        expect(found.ids).toEqual(expected);
        if (variant === "adapter") expect(expected, "the adapter makes a difference").not.toEqual(plain);
      },
    );
  });
});
