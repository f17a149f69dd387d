// T5 1.1 and 1.0 from GGUF files as llama.cpp's converter writes them: the same config, the same numbers under the same names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ggufChunks, type ModelConfig, memoryFolder, openModelFiles, parseModelConfig, readModelConfig } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { describe, expect, it } from "vitest";
import { familyFolder, hasFamilies, WITHOUT_FAMILIES } from "../reference/families.ts";

type Value = Parameters<typeof ggufChunks>[0] extends ReadonlyMap<string, infer V> ? V : never;

/** GGUF's name for a tensor of T5 (gguf-py 0.19.0, tensor_mapping.py). */
function ggufName(name: string): string {
  if (name === "shared.weight") return "token_embd.weight";
  if (name === "lm_head.weight") return "output.weight";
  const [, side = "", inner = ""] = /^(encoder|decoder)\.(.*)\.weight$/.exec(name) ?? [];
  const short = side.slice(0, 3);
  if (inner === "final_layer_norm") return `${short}.output_norm.weight`;
  const [, block = "", place = "", part = ""] = /^block\.(\d+)\.layer\.(\d)\.(.*)$/.exec(inner) ?? [];
  const place3 = side === "encoder" && place === "1" ? "2" : place; // an encoder has no attention to another
  const norms = ["attn_norm", "cross_attn_norm", "ffn_norm"];
  const parts: Record<string, string> = {
    wi: "ffn_up",
    wi_0: "ffn_gate",
    wi_1: "ffn_up",
    wo: "ffn_down",
    relative_attention_bias: "attn_rel_b",
  };
  const last = part.split(".").at(-1)!;
  const attention = place3 === "1" ? "cross_attn_" : "attn_";
  const own = part === "layer_norm" ? norms[Number(place3)] : (parts[last] ?? `${attention}${last}`);
  return `${short}.blk.${block}.${own}.weight`;
}

const known = ({ bosTokenId: _, eosTokenIds: __, padTokenId: ___, dtype: ____, ...rest }: ModelConfig): object => rest;

describe.skipIf(!hasFamilies).each(["t5", "t5_v10"])(`%s${WITHOUT_FAMILIES}`, (family) => {
  it("has the same config and the same tensors", async () => {
    const json = JSON.parse(readFileSync(join(familyFolder(family), "config_hub.json"), "utf8")) as Record<string, number>;
    const original = await openModelFiles(await openFolder(familyFolder(family)));
    const uint32 = (key: string, value: number): [string, Value] => [`t5.${key}`, { type: "uint32", value }];
    const metadata = new Map<string, Value>([
      ["general.architecture", { type: "string", value: "t5" }],
      uint32("block_count", json.num_layers!),
      uint32("decoder_block_count", json.num_decoder_layers!),
      uint32("context_length", 512),
      uint32("embedding_length", json.d_model!),
      uint32("feed_forward_length", json.d_ff!),
      uint32("attention.head_count", json.num_heads!),
      uint32("attention.key_length", json.d_kv!),
      uint32("attention.relative_buckets_count", json.relative_attention_num_buckets!),
      ["t5.attention.layer_norm_rms_epsilon", { type: "float32", value: json.layer_norm_epsilon! }],
      uint32("decoder_start_token_id", json.decoder_start_token_id!),
    ]);
    const tensors = [...original.tensors].map(([name, { shape, read }]) => ({
      name: ggufName(name),
      type: "F32" as const,
      shape,
      pieces: async function* () {
        yield await read();
      },
    }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of ggufChunks(metadata, tensors)) chunks.push(chunk);
    const folder = memoryFolder(new Map([["t5.gguf", new Uint8Array(Buffer.concat(chunks))]]), "m");

    expect(known(await readModelConfig(folder))).toEqual(known(parseModelConfig(json)));
    const found = await openModelFiles(folder);
    expect([...found.tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [name, tensor] of original.tensors) {
      expect(found.tensors.get(name)!.shape, name).toEqual(tensor.shape);
      expect(Buffer.compare(await found.tensors.get(name)!.read(), await tensor.read()), name).toBe(0);
    }
    await original.close();
  });
});
