// What comes out of a merge on tiny models of every family: logits as after PEFT's merge_and_unload (reference/FAMILIES.md), read back from GGUF, and
// computed by llama.cpp.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, nf4, noGrad, type QFormat, scope } from "@qlora-js/core";
import {
  type DecoderConfig,
  type GgufModelSource,
  generate,
  ggufLora,
  ggufModel,
  type LanguageModel,
  LoraAdapter,
  linearModules,
  loadModel,
  logits as logitsOf,
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
import { openFile, openFolder, openSafetensorsFile, writeGgufFile } from "@qlora-js/qlora/node";
import type { Llama } from "node-llama-cpp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { continueWithLlamaCpp, openLlamaCpp } from "./llama-cpp.ts";

const reference = resolve(import.meta.dirname, "../../../shared/reference/families");
const present = existsSync(reference);
const reason = present ? "" : " (skipped: ../shared/reference/families is absent)";
const llama = await openLlamaCpp();
const without = llama ? "" : " (skipped: node-llama-cpp has no binary here)";

const FAMILIES = [
  "llama",
  "llama_tied_rope3",
  "mistral",
  "qwen2",
  "qwen3",
  "gemma2",
  "gemma3_text",
  "phi3",
  "gpt2",
  "gpt_neox",
  "smollm3",
  "olmo2",
  "t5",
  "t5_v10",
];
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

type Inputs = Parameters<LanguageModel["hidden"]>[0];

async function logits(model: LanguageModel, inputs: Inputs): Promise<Float32Array> {
  const result = noGrad(backend, () => scope(backend, () => logitsOf(model, model.hidden(inputs, { dropoutKey: null }))));
  const values = await result.read();
  result.dispose();
  return values;
}

async function continued(model: LanguageModel, prompt: readonly number[]): Promise<number[]> {
  const ids: number[] = [];
  const greedy = { maxNewTokens: 16, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [] };
  for await (const id of generate(model, prompt, greedy)) ids.push(id);
  return ids;
}

function worst(found: Float32Array, expected: Float32Array, mask: Int32Array): number {
  const vocabulary = expected.length / mask.length;
  return expected.reduce((most, x, i) => (mask[Math.floor(i / vocabulary)] ? Math.max(most, Math.abs(x - found[i]!)) : most), 0);
}

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

describe.skipIf(!present).each(FAMILIES)(`%s${reason}`, (name) => {
  let config: ModelConfig;
  let files: ModelFiles;
  let adapter: PeftAdapter;
  let golden: Golden;
  const goldens = new Map<string, Float32Array>();
  let inputs: Inputs;
  let mask: Int32Array;
  beforeAll(async () => {
    const folder = await openFolder(join(reference, name));
    config = await readModelConfig(folder);
    files = await openModelFiles(folder);
    adapter = await openPeftAdapter(await openFolder(join(reference, name, "adapter")), linearModules(config));
    golden = JSON.parse(readFileSync(join(reference, name, "golden.json"), "utf8")) as Golden;
    const tensors = await openSafetensorsFile(join(reference, name, "golden.safetensors"));
    const ints = async (key: string) => Int32Array.from(new BigInt64Array((await tensors.tensors.get(key)!.read()).buffer), Number);
    const [inputIds, seen] = [await ints("input_ids"), await ints("attention_mask")];
    const lengths = [0, 24].map((row) => seen.slice(row, row + 24).reduce((a, b) => a + b, 0));
    const seq2Seq = tensors.tensors.has("decoder_input_ids");
    inputs = seq2Seq
      ? { inputIds: await ints("decoder_input_ids"), batch: 2, length: 16, source: { inputIds, length: 24, lengths } }
      : { inputIds, batch: 2, length: 24 };
    mask = seq2Seq ? new Int32Array(32).fill(1) : seen;
    for (const key of ["logits", "merged.logits"]) goldens.set(key, new Float32Array((await tensors.tensors.get(key)!.read()).buffer));
    await tensors.close();
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
    expect(worst(await logits(model, inputs), goldens.get("merged.logits")!, mask)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("merged into NF4's weights computes what NF4 with the adapter computes", async () => {
    const model = await load(merged(nf4()));
    const found = await logits(model, inputs);
    model.dispose();
    const trained = await load(files, nf4());
    await LoraAdapter.load(trained, adapter);
    expect(worst(found, await logits(trained, inputs), mask)).toBeLessThan(TOLERANCE);
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
      expect(worst(await logits(read, inputs), await logits(direct, inputs), mask)).toBeLessThan(1e-5);
      for (const model of [read, direct]) model.dispose();
      await gguf.files.close();
    });

    it.skipIf(!llama)(`is continued by llama.cpp ${asEver}${without}`, async () => {
      const { prompt, tokens } = golden.greedy;
      const model = await load(files, null, usual());
      const expected = asEver === "as by transformers" ? tokens : await continued(model, prompt);
      model.dispose();
      const found = await continueWithLlamaCpp(llama as Llama, { model: await written(files), prompt, count: 16 });
      expect(found.ids).toEqual(expected);
    });

    it.skipIf(!llama).each(name === "llama" ? ["adapter", "adapter_rslora", "adapter_patterns", "adapter_layers"] : ["adapter"])(
      `is continued by llama.cpp with %s as GGUF LoRA as it is here${without}`,
      async (variant) => {
        const stored = await openPeftAdapter(await openFolder(join(reference, name, variant)), linearModules(config));
        const lora = join(scratch, `${name}-${variant}.gguf`);
        const { metadata, tensors } = ggufLora(variant, usual(), stored);
        await writeGgufFile(lora, metadata, tensors);
        const model = await load(files, null, usual());
        const { prompt } = golden.greedy;
        const plain = await continued(model, prompt);
        await LoraAdapter.load(model, stored);
        await stored.close();
        const expected = await continued(model, prompt);
        model.dispose();
        const found = await continueWithLlamaCpp(llama as Llama, { model: await written(files), lora, prompt, count: 16 });
        expect(found.ids).toEqual(expected);
        if (variant === "adapter") expect(expected, "the adapter makes a difference").not.toEqual(plain);
      },
    );
  });
});
