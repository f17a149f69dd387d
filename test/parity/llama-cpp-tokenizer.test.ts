// Text cut into tokens by llama.cpp, from the tokenizer we wrote into a GGUF file, and by us from tokenizer.json: the same ids, for every way of cutting
// that has a name there.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DecoderConfig,
  ggufModel,
  type ModelFiles,
  modelTensors,
  parseModelConfig,
  readTokenizerFiles,
  Tokenizer,
  type TokenizerFiles,
} from "@qlora-js/qlora";
import { microModelUrl } from "@qlora-js/qlora/micro";
import { openFolder, writeGgufFile } from "@qlora-js/qlora/node";
import type { Llama } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasSmolLm2, smolLm2Folder } from "../reference/smollm2.ts";
import { openLlamaCpp } from "./llama-cpp.ts";

const llama = await openLlamaCpp();
const without = llama ? "" : " (skipped: node-llama-cpp has no binary here)";

const TEXTS = [
  "Hello, world!",
  "It's 3 or 33 or 333 or 3333 or 33333; we'll see, I'd say: THEY'RE done, can't they?",
  "  two spaces,   three,    four \t tab\t\ttabs ",
  "line\nline\n\nline\r\nline \n  \n end\n",
  "Grüße aus Köln – naïve café, ça va? Żółć, ŁÓDŹ.",
  "нещо на Български, Ελληνικά, 日本語テキスト, 한국어, العربية, हिन्दी",
  "emoji 🦙🚀 😶‍🌫️ (multiple) ✅ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
  "code: if (x[i] >= 0 && y != z) { return a->b::c(\"s\", 'c', 1e-5); } // ###",
  "CamelCase snake_case kebab-case SHOUTING iPhone eBay McDonald",
  "$1,234.56 50% 10:30 2024-07-26 v1.2.3 #42 @name",
  "...!!!??? ------ ====== \"quoted\" 'single' `back`",
  "a",
  " ",
  "\n",
  "x  ",
];

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "qlora-tokens-"));
});
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await llama?.dispose();
});

/** A model as small as can be, with zeros for weights, whose only use is its tokenizer. */
async function writeTokenizer(name: string, files: TokenizerFiles, tokenizer: Tokenizer): Promise<string> {
  const sizes = { hidden_size: 32, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 1, max_position_embeddings: 512 };
  const config = parseModelConfig({
    model_type: "llama",
    vocab_size: tokenizer.vocabularySize,
    tie_word_embeddings: true,
    ...sizes,
  }) as DecoderConfig;
  const tensors = modelTensors(config).map(({ name, shape }) => {
    const byteLength = 4 * shape.reduce((n, d) => n * d, 1);
    const read = async (offset = 0, length = byteLength - offset) => new Uint8Array(length);
    return [name, { file: name, dtype: "F32" as const, shape, byteLength, read }] as const;
  });
  const model: ModelFiles = { folder: name, files: [], tensors: new Map(tensors), close: async () => {} };
  const made = ggufModel({ name: "tokenizer", config, files: model, text: { files, tokenizer } }, "Q8_0");
  const path = join(scratch, `${name}.gguf`);
  await writeGgufFile(path, made.metadata, made.tensors);
  return path;
}

async function compare(name: string, files: TokenizerFiles, texts: readonly string[] = TEXTS): Promise<void> {
  const tokenizer = Tokenizer.from(files);
  const model = await (llama as Llama).loadModel({ modelPath: await writeTokenizer(name, files, tokenizer), gpuLayers: 0 });
  try {
    for (const text of texts)
      expect([text, [...model.tokenize(text, true)]]).toEqual([text, tokenizer.encode(text, { addSpecialTokens: false })]);
    const { bos, eos } = tokenizer.special;
    if (bos) expect(model.tokens.bos).toBe(bos.id);
    if (eos) expect(model.tokens.eos).toBe(eos.id);
    expect(model.tokens.shouldPrependBosToken).toBe(bos !== undefined && tokenizer.prefixIds.includes(bos.id));
  } finally {
    await model.dispose();
  }
}

const CL100K = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN = CL100K.replace("{1,3}", "");
const O200K = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const split = (Regex: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
});

describe.skipIf(!llama)(`byte-level tokenizers${without}`, () => {
  it.each([
    ["as it is, with single digits (smollm)", {}, undefined],
    ["cutting as GPT-2", { pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true } }, undefined],
    ["cutting as Llama 3, words taken whole", { pre_tokenizer: split(CL100K) }, true],
    ["cutting as OLMo 2", { pre_tokenizer: split(CL100K) }, false],
    ["cutting as Qwen", { pre_tokenizer: split(QWEN), normalizer: { type: "NFC" } }, false],
    ["cutting as GPT-4o", { pre_tokenizer: split(O200K) }, false],
  ])("the micro model's, %s", async (name, change, ignoreMerges) => {
    const files = (await readTokenizerFiles(await openFolder(microModelUrl().pathname)))!;
    const json = files.tokenizer as { model: object };
    const model = ignoreMerges === undefined ? json.model : { ...json.model, ignore_merges: ignoreMerges };
    await compare(name.replaceAll(" ", "-"), { ...files, tokenizer: { ...json, ...change, model } });
  });

  it.skipIf(!hasSmolLm2)(`SmolLM2's, on its reference texts${hasSmolLm2 ? "" : " (skipped: ../shared is absent)"}`, async () => {
    const files = (await readTokenizerFiles(await openFolder(smolLm2Folder())))!;
    const { tokenizer } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../shared/reference/smollm2/golden.json"), "utf8")) as {
      tokenizer: { text: string; ids: number[] }[];
    };
    await compare("smollm2", files, [...TEXTS, ...tokenizer.map(({ text }) => text)]);
  });
});

/** Pairs of neighbours joined by how often they stand together, over words that begin with "▁". */
function trainedMerges(text: string, count: number): [string, string][] {
  let words = text.split(" ").map((word) => [..."▁", ...word]);
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of words)
      for (let i = 1; i < word.length; i++) counts.set(`${word[i - 1]} ${word[i]}`, (counts.get(`${word[i - 1]} ${word[i]}`) ?? 0) + 1);
    const best = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0];
    if (!best) break;
    const [left, right] = best[0].split(" ") as [string, string];
    merges.push([left, right]);
    words = words.map((word) => {
      const joined: string[] = [];
      for (const piece of word)
        if (joined.at(-1) === left && piece === right) joined[joined.length - 1] = left + right;
        else joined.push(piece);
      return joined;
    });
  }
  return merges;
}

describe.skipIf(!llama)(`tokenizers made from SentencePiece${without}`, () => {
  const prose =
    TEXTS.join(" ").repeat(2) +
    " the cat sat on the mat and the dog sat there with the other cats and dogs while it rained on them all day long ".repeat(3);
  const unknown = /[^a-zA-Z0-9.,!?'"()\-:; ]/g; // what is not among the letters falls back to bytes
  const merges = trainedMerges(prose.replace(unknown, "").replace(/\s+/g, " "), 150);
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const letters = ["▁", ..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'\"()-:;"];
  const pieces = [...new Set(["<unk>", "<s>", "</s>", ...bytes, ...letters, ...merges.flat(), ...merges.map((pair) => pair.join(""))])];
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const files = (prefix: boolean): TokenizerFiles => ({
    tokenizer: {
      added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false })),
      normalizer: prefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace] } : replace,
      post_processor: {
        type: "TemplateProcessing",
        single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
        pair: [],
        special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
      },
      decoder: {
        type: "Sequence",
        decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }],
      },
      model: {
        type: "BPE",
        unk_token: "<unk>",
        byte_fallback: true,
        fuse_unk: true,
        vocab: Object.fromEntries(pieces.map((p, id) => [p, id])),
        merges,
      },
    },
    config: { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" },
  });

  it.each([
    ["with a space before the text, as Llama 2's", true],
    ["without one, as Gemma's", false],
  ])("%s", async (name, prefix) => {
    await compare(name.replaceAll(" ", "-"), files(prefix));
  });
});
