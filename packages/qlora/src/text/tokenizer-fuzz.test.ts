// A tokenizer.json comes from outside: whatever is in it, the answer is a tokenizer that works or a typed error, soon.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../fuzz-cases.fixture.ts";
import { damaged, type Json } from "../json-damage.fixture.ts";
import { unknownPattern } from "./pipeline/unknown-pattern.ts";
import { Tokenizer } from "./tokenizer.ts";

const added = [{ id: 4, content: "<s>", special: true, lstrip: true, rstrip: false, single_word: false, normalized: false }];
const around = {
  type: "Sequence",
  processors: [
    { type: "ByteLevel" },
    {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [4], tokens: ["<s>"] } },
    },
  ],
};
const BPE = {
  added_tokens: added,
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { String: " " }, content: "▁" }, { type: "Prepend", prepend: "▁" }],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: "\\p{N}{1,3}|(?i:'s)|\\s+" }, behavior: "Isolated", invert: false },
      { type: "Digits", individual_digits: true },
      { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
    ],
  },
  post_processor: around,
  decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
  model: {
    type: "BPE",
    unk_token: "u",
    fuse_unk: true,
    byte_fallback: true,
    ignore_merges: false,
    vocab: { a: 0, b: 1, ab: 2, u: 3, "<0x0A>": 5 },
    merges: [["a", "b"]],
  },
};
const UNIGRAM = {
  added_tokens: added,
  normalizer: { type: "Precompiled", precompiled_charsmap: "CAAAAAECAwQFBgcIQQA=" },
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: true, use_regex: false },
  post_processor: { type: "BertProcessing", cls: ["<s>", 4], sep: ["<s>", 4] },
  decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  model: {
    type: "Unigram",
    unk_id: 0,
    byte_fallback: false,
    vocab: [
      ["u", 0],
      ["a", -1],
      ["ab", -2.5],
      ["Ġ", -3],
    ],
  },
};
const CONFIG = { bos_token: "<s>", add_bos_token: true, chat_template: "{{ bos_token }}" };

/** Whether the files made a tokenizer; what was thrown if not was ours. */
function answers(tokenizer: unknown, config: unknown): boolean {
  try {
    const made = Tokenizer.from({ tokenizer, config, unknownPattern });
    made.decode(made.encode("a<s> b 12's é\n"));
    return true;
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError || error instanceof UsageError) return false;
    throw error;
  }
}

describe("a tokenizer.json from outside", () => {
  it("is one of these two, before it is damaged", () => {
    expect([answers(BPE, CONFIG), answers(UNIGRAM, CONFIG)]).toEqual([true, true]);
  });

  it(
    "is answered with a tokenizer or a typed error, whichever values are put where",
    () => {
      const both = [BPE, UNIGRAM].map((tokenizer) => damaged({ tokenizer, config: CONFIG } as unknown as Json));
      fc.assert(
        fc.property(fc.oneof(...both), (files) => {
          const { tokenizer, config } = (files ?? {}) as { tokenizer?: unknown; config?: unknown };
          answers(tokenizer, config);
        }),
        { numRuns: fuzzCases(2000) },
      );
    },
    FUZZ_TIMEOUT,
  );

  it("is refused where it is nested without end", () => {
    const deep = (open: string, close: string, count: number) => JSON.parse(open.repeat(count) + close.repeat(count)) as unknown;
    const lists = deep("[", "]", 200_000);
    const sequences = JSON.parse(`${'{"type":"Sequence","normalizers":['.repeat(50_000)}${"]}".repeat(50_000)}`) as unknown;
    for (const part of ["model", "normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens"])
      expect(answers({ ...BPE, [part]: lists }, CONFIG), part).toBe(false);
    expect(answers({ ...BPE, normalizer: sequences }, CONFIG)).toBe(false);
    expect(answers({ ...BPE, model: { ...BPE.model, vocab: lists, merges: lists } }, CONFIG)).toBe(false);
    expect(answers(lists, lists)).toBe(false);
    expect(answers({ ...BPE, added_tokens: [{ ...added[0], content: "a".repeat(100_000) }] }, CONFIG)).toBe(false);
    const many = { type: "Sequence", normalizers: Array.from({ length: 100_000 }, () => ({ type: "NFC" })) };
    expect(answers({ ...BPE, normalizer: many }, CONFIG)).toBe(false);
    const twelve = <T>(value: T): T[] => Array.from({ length: 12 }, () => value);
    const doubling = { type: "Replace", pattern: { String: "a" }, content: "aaaaaaaa" };
    const spaces = { type: "Metaspace", replacement: "        ", prepend_scheme: "never", split: false };
    expect(answers({ ...BPE, normalizer: { type: "Sequence", normalizers: twelve(doubling) } }, CONFIG)).toBe(false);
    expect(answers({ ...BPE, decoder: { type: "Sequence", decoders: twelve(doubling) } }, CONFIG)).toBe(false);
    expect(answers({ ...BPE, normalizer: null, pre_tokenizer: { type: "Sequence", pretokenizers: twelve(spaces) } }, CONFIG)).toBe(false);
  });

  it("is refused where it is long and wrong at the end, and not made room for by the ids it claims", () => {
    const vocab = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`t${i}`, i]));
    const merges = Array.from({ length: 300_000 }, () => "a b").concat("a");
    expect(answers({ ...BPE, model: { ...BPE.model, vocab: { ...vocab, last: -1 } } }, CONFIG)).toBe(false);
    expect(answers({ ...BPE, model: { ...BPE.model, merges } }, CONFIG)).toBe(false);
    const far = Tokenizer.from({ tokenizer: { ...BPE, added_tokens: [{ id: 0x7fff_ffff, content: "far" }] }, config: {}, unknownPattern });
    expect(far.vocabularySize).toBe(2 ** 31);
    expect(far.encode("far", { addSpecialTokens: false })).toEqual([0x7fff_ffff]);
  });

  it("does not fill the memory with what its normalizer makes of a text", () => {
    const doubling = Array.from({ length: 60 }, () => ({ type: "Replace", pattern: { String: "a" }, content: "aa" }));
    const grown = Tokenizer.from({ tokenizer: { ...BPE, normalizer: { type: "Sequence", normalizers: doubling } }, unknownPattern });
    expect(() => grown.encode("a")).toThrow(FormatError);
    expect(answers({ ...BPE, normalizer: { type: "Replace", pattern: { String: "a" }, content: "a".repeat(1000) } }, CONFIG)).toBe(false);
  });
});
