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

const FAMILIES = ["llama", "llama_tied_rope3", "qwen2", "qwen3", "phi3", "gpt_neox", "smollm3", "olmo2"];
/** What llama.cpp has no way to compute: SmolLM3 with another pattern of layers than the real one's. */
const UNKNOWN_TO_LLAMA_CPP = ["smollm3"];
const TOLERANCE = 3e-5;

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

async function logits(model: LanguageModel, ids: Int32Array): Promise<Float32Array> {
  const result = noGrad(backend, () =>
    scope(backend, () => logitsOf(model, model.hidden({ inputIds: ids, batch: 2, length: 24 }, { dropoutKey: null }))),
  );
  const values = await result.read();
  result.dispose();
  return values;
}

async function continued(model: Decoder, prompt: readonly number[]): Promise<number[]> {
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
  let config: DecoderConfig;
  let files: ModelFiles;
  let adapter: PeftAdapter;
  let golden: Golden;
  const goldens = new Map<string, Float32Array>();
  let [ids, mask] = [new Int32Array(), new Int32Array()];
  beforeAll(async () => {
    const folder = await openFolder(join(reference, name));
    config = (await readModelConfig(folder)) as DecoderConfig;
    files = await openModelFiles(folder);
    adapter = await openPeftAdapter(await openFolder(join(reference, name, "adapter")), linearModules(config));
    golden = JSON.parse(readFileSync(join(reference, name, "golden.json"), "utf8")) as Golden;
    const tensors = await openSafetensorsFile(join(reference, name, "golden.safetensors"));
    const ints = async (key: string) => Int32Array.from(new BigInt64Array((await tensors.tensors.get(key)!.read()).buffer), Number);
    [ids, mask] = [await ints("input_ids"), await ints("attention_mask")];
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
    expect(worst(await logits(model, ids), goldens.get("merged.logits")!, mask)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("merged into NF4's weights computes what NF4 with the adapter computes", async () => {
    const model = await load(merged(nf4()));
    const found = await logits(model, ids);
    model.dispose();
    const trained = await load(files, nf4());
    await LoraAdapter.load(trained, adapter);
    expect(worst(found, await logits(trained, ids), mask)).toBeLessThan(TOLERANCE);
    trained.dispose();
  });

  const unknown = UNKNOWN_TO_LLAMA_CPP.includes(name);
  describe.skipIf(unknown)(
    `as GGUF${unknown ? " (skipped: llama.cpp takes every fourth layer to be without rotary positions)" : ""}`,
    () => {
      async function written(from: ModelFiles): Promise<string> {
        const path = join(scratch, `${name}.gguf`);
        const { metadata, tensors } = ggufModel({ name: "tiny", config, files: from, text: byteTokenizer() }, "F32");
        await writeGgufFile(path, metadata, tensors);
        return path;
      }

      it("is read back as the same model", async () => {
        const gguf = await openGgufModel(await openFile(await written(merged(null))));
        const model = await load(gguf.files, null, parseModelConfig(gguf.config));
        expect(worst(await logits(model, ids), goldens.get("merged.logits")!, mask)).toBeLessThan(TOLERANCE);
        model.dispose();
        await gguf.files.close();
      });

      it.skipIf(!llama).each(name === "llama" ? ["adapter", "adapter_rslora", "adapter_patterns", "adapter_layers"] : ["adapter"])(
        `is continued by llama.cpp with %s as GGUF LoRA as it is here${without}`,
        async (variant) => {
          const stored = await openPeftAdapter(await openFolder(join(reference, name, variant)), linearModules(config));
          const lora = join(scratch, `${name}-${variant}.gguf`);
          const { metadata, tensors } = ggufLora(variant, config, stored);
          await writeGgufFile(lora, metadata, tensors);
          const model = await load(files);
          await LoraAdapter.load(model, stored);
          await stored.close();
          const { prompt } = golden.greedy;
          const expected = await continued(model, prompt);
          model.dispose();
          const base = await written(files);
          expect((await continueWithLlamaCpp(llama as Llama, { model: base, lora, prompt, count: 16 })).ids).toEqual(expected);
          const plain = await continueWithLlamaCpp(llama as Llama, { model: base, prompt, count: 16 });
          if (variant === "adapter") expect(plain.ids, "the adapter makes a difference").not.toEqual(expected);
        },
      );

      it.skipIf(!llama)(`is continued by llama.cpp as by transformers${without}`, async () => {
        const { prompt, tokens } = golden.greedy;
        const found = await continueWithLlamaCpp(llama as Llama, { model: await written(files), prompt, count: tokens.length });
        expect(found.ids).toEqual(tokens);
      });
    },
  );
});
