// SmolLM2 from the GGUF file that lies beside the repository, against the Hugging Face folder that was unpacked from it: the same config, tokenizer and
// template, the same bits in every tensor, and so the text that the originals generate.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4 } from "@qlora-js/core";
import {
  ChatTemplate,
  type Folder,
  generate,
  loadModel,
  openModelFiles,
  readModelConfig,
  readTokenizerFiles,
  Tokenizer,
} from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { beforeAll, describe, expect, it } from "vitest";
import { hasSmolLm2, SMOLLM2_GGUF, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

interface Golden {
  readonly tokenizer: readonly { readonly text: string; readonly ids: number[] }[];
  readonly f32: { readonly prompts: readonly { readonly question: string; readonly prompt: string }[] };
  readonly nf4_dq: { readonly prompts: readonly { readonly ids: number[]; readonly greedy: number[] }[] };
}

describe.skipIf(!hasSmolLm2)("SmolLM2 from GGUF (skipped where ../shared is absent: it holds model and reference)", () => {
  let gguf: Folder;
  let folder: Folder;
  let golden: Golden;

  beforeAll(async () => {
    gguf = await openFolder(SMOLLM2_GGUF);
    folder = await openFolder(smolLm2Folder());
    golden = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as Golden;
  });

  it("has the config of the folder", async () => {
    expect(await readModelConfig(gguf)).toEqual(await readModelConfig(folder));
  });

  it("has the tensors of the folder, bit for bit; norms are in f32 here, and the same numbers", async () => {
    const [found, expected] = [await openModelFiles(gguf), await openModelFiles(folder)];
    expect([...found.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
    for (const [name, tensor] of expected.tensors) {
      const stored = found.tensors.get(name)!;
      expect(stored.shape, name).toEqual(tensor.shape);
      const [a, b] = [await stored.read(), await tensor.read()];
      const same = stored.dtype === "F32" ? isWidened(a, b) : Buffer.compare(a, b) === 0;
      expect(same, name).toBe(true);
    }
    await found.close();
    await expected.close();
  });

  it("has its tokenizer and its template", async () => {
    const files = (await readTokenizerFiles(gguf))!;
    const tokenizer = Tokenizer.from(files);
    for (const { text, ids } of golden.tokenizer) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    const template = ChatTemplate.from(files, tokenizer.special)!;
    for (const { question, prompt } of golden.f32.prompts)
      expect(template.render([{ role: "user", content: question }], { addGenerationPrompt: true })).toBe(prompt);
    const original = Tokenizer.from((await readTokenizerFiles(folder))!);
    expect([tokenizer.special, tokenizer.stopIds, tokenizer.vocabularySize]).toEqual([
      original.special,
      original.stopIds,
      original.vocabularySize,
    ]);
    expect(tokenizer.addedTokens).toEqual(original.addedTokens);
  });

  it("generates what transformers with bitsandbytes generates from the folder in NF4", async () => {
    const backend = await createCpuBackend();
    const files = await openModelFiles(gguf);
    const model = await loadModel(backend, await readModelConfig(gguf), files, { format: nf4() });
    await files.close();
    const { ids, greedy } = golden.nf4_dq.prompts[0]!;
    const found: number[] = [];
    for await (const id of generate(model, ids, { maxNewTokens: greedy.length, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [2] }))
      found.push(id);
    expect(found).toEqual(greedy);
    model.dispose();
    expect(backend.memory().liveBuffers).toBe(0);
    backend.dispose();
  });
});

/** Whether f32 numbers are these bf16 ones. */
function isWidened(f32: Uint8Array<ArrayBuffer>, bf16: Uint8Array<ArrayBuffer>): boolean {
  const [wide, narrow] = [new Uint32Array(f32.buffer), new Uint16Array(bf16.buffer)];
  return wide.length === narrow.length && wide.every((word, i) => word === (narrow[i]! << 16) >>> 0);
}
