import { describe, expect, it } from "vitest";
import { UsageError } from "../../error.ts";
import { byteLevelFiles, metaspaceFiles } from "../../text/samples.fixture.ts";
import { Tokenizer } from "../../text/tokenizer.ts";
import type { TokenizerFiles } from "../../text/tokenizer-files.ts";
import { TOKEN_TYPE } from "../gguf/gguf-types.ts";
import { type ModelTokens, tokenizerMetadata } from "./tokenizer-metadata.ts";

const MODEL: ModelTokens = { vocabSize: 0, bosTokenId: undefined, eosTokenIds: [], padTokenId: undefined };

function made(files: TokenizerFiles, model: Partial<ModelTokens> = {}): ReadonlyMap<string, unknown> {
  const tokenizer = Tokenizer.from(files);
  const entries = tokenizerMetadata(files, tokenizer, { ...MODEL, vocabSize: tokenizer.vocabularySize, ...model });
  return new Map(entries.map(([key, value]) => [key, "values" in value ? value.values : value.value]));
}

/** With a change to tokenizer.json. */
function changed(files: TokenizerFiles, change: object, model: object = {}): TokenizerFiles {
  const json = files.tokenizer as { model: object };
  return { ...files, tokenizer: { ...json, ...change, model: { ...json.model, ...model } } };
}

describe("a byte-level tokenizer", () => {
  const files = byteLevelFiles(["<|begin|>", "<|end|>"], { bos_token: "<|begin|>", eos_token: "<|end|>", chat_template: "{{ 1 }}" });

  it("is listed by id, with the kinds of its tokens and its merges in order", () => {
    const metadata = made(files);
    const texts = metadata.get("tokenizer.ggml.tokens") as string[];
    expect(metadata.get("tokenizer.ggml.model")).toBe("gpt2");
    expect(texts.slice(0, 4)).toEqual(["<|begin|>", "<|end|>", "Ā", "ā"]);
    expect((metadata.get("tokenizer.ggml.token_type") as number[]).slice(0, 3)).toEqual([
      TOKEN_TYPE.CONTROL,
      TOKEN_TYPE.CONTROL,
      TOKEN_TYPE.NORMAL,
    ]);
    expect(metadata.get("tokenizer.ggml.merges")).toEqual(["i n", "t h", "Ċ Ċ"]);
    expect(metadata.get("tokenizer.chat_template")).toBe("{{ 1 }}");
  });

  it("names the tokens with a job, and whether texts begin and end with them", () => {
    const metadata = made(files);
    expect(metadata.get("tokenizer.ggml.bos_token_id")).toBe(0);
    expect(metadata.get("tokenizer.ggml.eos_token_id")).toBe(1);
    expect(metadata.get("tokenizer.ggml.add_bos_token")).toBe(true);
    expect(metadata.get("tokenizer.ggml.add_eos_token")).toBe(false);
    expect(metadata.has("tokenizer.ggml.padding_token_id")).toBe(false);
  });

  it("takes from the model's config the tokens that it does not name itself", () => {
    const metadata = made(byteLevelFiles(["<a>", "<b>"], {}), { bosTokenId: 0, eosTokenIds: [1, 5], padTokenId: 7 });
    expect(["bos", "eos", "padding"].map((job) => metadata.get(`tokenizer.ggml.${job}_token_id`))).toEqual([0, 1, 7]);
  });

  it("fills the rows of the embeddings that have no token", () => {
    const metadata = made(files, { vocabSize: 264 });
    expect((metadata.get("tokenizer.ggml.tokens") as string[]).slice(-3)).toEqual(["[PAD261]", "[PAD262]", "[PAD263]"]);
    expect((metadata.get("tokenizer.ggml.token_type") as number[]).at(-1)).toBe(TOKEN_TYPE.UNUSED);
  });

  it("tells added tokens that are text from those that are not, whatever the file says of the latter", () => {
    const added = [
      { id: 261, content: "▁▁", special: false },
      { id: 262, content: "<|tool|>", special: false },
    ];
    const own = (files.tokenizer as { added_tokens: object[] }).added_tokens;
    const metadata = made(changed(files, { added_tokens: [...own, ...added] }), { vocabSize: 263 });
    expect((metadata.get("tokenizer.ggml.tokens") as string[]).slice(-2)).toEqual(["  ", "<|tool|>"]);
    expect((metadata.get("tokenizer.ggml.token_type") as number[]).slice(-2)).toEqual([TOKEN_TYPE.USER_DEFINED, TOKEN_TYPE.CONTROL]);
  });

  it("reads merges as pairs or as texts, and writes a space in one as the letter for it", () => {
    expect(made(changed(files, {}, { merges: ["i n", "t h"] })).get("tokenizer.ggml.merges")).toEqual(["i n", "t h"]);
    const vocab = { i: 0, " n": 1, "i n": 2 };
    const spaced = changed(byteLevelFiles([], {}), {}, { vocab, merges: [["i", " n"]] });
    expect(made(spaced).get("tokenizer.ggml.merges")).toEqual(["i Ġn"]);
  });

  it.each([
    ["a normalizer that llama.cpp does not have", changed(files, { normalizer: { type: "Lowercase" } }), "normalizer"],
    ["a way of cutting that it does not have", changed(files, { pre_tokenizer: { type: "Whitespace" } }), "pre_tokenizer"],
  ])("is refused with %s", (_, odd, key) => {
    expect(() => made(odd)).toThrow(UsageError);
    expect(() => made(odd)).toThrow(expect.objectContaining({ fields: { [key]: expect.anything() } }));
  });

  it("is refused with tokens beyond the embeddings", () => {
    expect(() => made(files, { vocabSize: 260 })).toThrow(expect.objectContaining({ fields: { id: 260, text: "ĊĊ", size: 260 } }));
  });
});

describe("a tokenizer made from SentencePiece", () => {
  it("has a score for each piece, the earlier its merge the higher", () => {
    const metadata = made(metaspaceFiles());
    const texts = metadata.get("tokenizer.ggml.tokens") as string[];
    const scores = metadata.get("tokenizer.ggml.scores") as number[];
    const kinds = metadata.get("tokenizer.ggml.token_type") as number[];
    expect(metadata.get("tokenizer.ggml.model")).toBe("llama");
    expect(["▁H", "▁Y", "▁o"].map((text) => scores[texts.indexOf(text)])).toEqual([-0, -1, -2]);
    expect(scores[texts.indexOf("a")]).toBeLessThan(-1000);
    expect(kinds.slice(0, 4)).toEqual([TOKEN_TYPE.UNKNOWN, TOKEN_TYPE.CONTROL, TOKEN_TYPE.CONTROL, TOKEN_TYPE.BYTE]);
    expect(metadata.get("tokenizer.ggml.add_space_prefix")).toBe(true);
  });

  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  it.each([
    ["no space before", { normalizer: replace }, false],
    [
      "none, by a pre-tokenizer",
      { normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "never" } },
      false,
    ],
    [
      "one before the first word",
      { normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first" } },
      true,
    ],
    ["one, in older words", { normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: "▁", add_prefix_space: false } }, false],
  ])("says whether a space goes before a text: %s", (_, change, expected) => {
    expect(made(changed(metaspaceFiles(), change)).get("tokenizer.ggml.add_space_prefix")).toBe(expected);
  });

  it.each([
    ["another normalizer", { normalizer: { type: "NFKC" } }],
    ["spaces left as they are", { normalizer: null }],
  ])("is refused with %s", (_, change) => {
    expect(() => made(changed(metaspaceFiles(), change))).toThrow(UsageError);
  });
});

it("a tokenizer of another kind is refused by its name", () => {
  const files = { tokenizer: { model: { type: "Unigram", vocab: [["a", -1]] } } };
  expect(() => made(files)).toThrow(expect.objectContaining({ fields: { type: "Unigram" } }));
});
