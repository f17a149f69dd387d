// Every family as a GGUF file and back: the same config, the same numbers under the same names, the same logits as transformers. What llama.cpp does with
// such files is tested where they are written.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import {
  type DecoderConfig,
  type Folder,
  ggufChunks,
  ggufModel,
  loadModel,
  memoryFolder,
  openModelFiles,
  parseModelConfig,
  readModelConfig,
} from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { describe, expect, it } from "vitest";
import {
  DECODER_FAMILIES,
  familyFolder,
  goldenInputs,
  goldenTensors,
  hasFamilies,
  logitsOf,
  WITHOUT_FAMILIES,
  worstLogit,
} from "../reference/families.ts";

/** What GGUF cannot say of a reference model is changed first; then its goldens are another model's. */
const CHANGES: Readonly<Record<string, object>> = {
  gemma2: { query_pre_attn_scalar: 16 },
  gemma3_text: { query_pre_attn_scalar: 16 },
  smollm3: { no_rope_layers: undefined, no_rope_layer_interval: 4 },
};
async function originalConfig(family: string): Promise<DecoderConfig> {
  const json = JSON.parse(readFileSync(join(familyFolder(family), "config_hub.json"), "utf8")) as object;
  return parseModelConfig({ ...json, ...CHANGES[family] }) as DecoderConfig;
}

async function asGguf(family: string, type: "F32" | "F16" | "Q8_0"): Promise<Folder> {
  const files = await openModelFiles(await openFolder(familyFolder(family)));
  const model = ggufModel({ name: family, config: await originalConfig(family), files, text: undefined }, type);
  const chunks: Uint8Array[] = [];
  for await (const chunk of ggufChunks(model.metadata, model.tensors)) chunks.push(chunk);
  await files.close();
  return memoryFolder(new Map([[`${family}.gguf`, new Uint8Array(Buffer.concat(chunks))]]), "m");
}

/** A config without what a file without a tokenizer does not say. */
const known = ({ bosTokenId: _, eosTokenIds: __, padTokenId: ___, dtype: ____, ...rest }: DecoderConfig): object => rest;

describe.skipIf(!hasFamilies).each(DECODER_FAMILIES)(`%s${WITHOUT_FAMILIES}`, (family) => {
  it("has the same config", async () => {
    const [found, expected] = [
      known((await readModelConfig(await asGguf(family, "F32"))) as DecoderConfig),
      known(await originalConfig(family)),
    ];
    if (family === "llama_tied_rope3") {
      // stretched from another length than any model of Llama's: its table of factors is kept, under the name of a kind that has one
      expect(found).toMatchObject({ ropes: [{ scaling: { kind: "longrope", attentionFactor: 1 } }] });
      expect({ ...found, ropes: [] }).toEqual({ ...expected, ropes: [] });
    } else if (family === "mistral") {
      // llama.cpp has no windows for it, and its files do not say that there are any
      expect(found).toEqual({ ...expected, modelType: "llama", layerKinds: [{ window: null, rope: 0 }] });
    } else expect(found).toEqual(expected);
  });

  it("has the same tensors", async () => {
    const original = await openModelFiles(await openFolder(familyFolder(family)));
    const gguf = await openModelFiles(await asGguf(family, "F32"));
    expect([...gguf.tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [name, tensor] of original.tensors) {
      const found = gguf.tensors.get(name)!;
      expect([found.dtype, found.shape], name).toEqual([tensor.dtype, tensor.shape]);
      expect(near(await found.read(), await tensor.read()), name).toBe(true);
    }
    await original.close();
  });
});

/** The same bits, but for what adding 1 to the weight of a norm took away. */
function near(found: Uint8Array<ArrayBuffer>, expected: Uint8Array<ArrayBuffer>): boolean {
  const [a, b] = [new Float32Array(found.buffer), new Float32Array(expected.buffer)];
  return a.length === b.length && a.every((x, i) => x === b[i] || Math.abs(x - b[i]!) < 2 ** -23);
}

describe.skipIf(!hasFamilies).each(DECODER_FAMILIES.filter((family) => !CHANGES[family] && family !== "mistral"))(
  `%s${WITHOUT_FAMILIES}`,
  (family) => {
    it("computes transformers' logits", async () => {
      const folder = await asGguf(family, "F32");
      const golden = await goldenTensors(join(familyFolder(family), "golden.safetensors"));
      const { inputs, mask } = goldenInputs(golden);
      const backend = await createCpuBackend({ threads: 1 });
      const files = await openModelFiles(folder);
      const model = await loadModel(backend, await readModelConfig(folder), files, { format: null });
      expect(worstLogit(await logitsOf(model, inputs), golden.get("logits") as Float32Array, mask)).toBeLessThan(3e-5);
      backend.dispose();
    });
  },
);
