import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../error.ts";
import { fuzzCases } from "../../fuzz-cases.fixture.ts";
import { Tokenizer } from "../../text/tokenizer.ts";
import { modelBytes, SMALL_PIECES } from "./sentencepiece.fixture.ts";
import { sentencePieceTokenizer } from "./sentencepiece-tokenizer.ts";

const T5 = { tokenizer_class: "T5Tokenizer", extra_ids: 2 };

describe("sentencePieceTokenizer", () => {
  it("makes a tokenizer of a BPE model, whose tokens with a job the model names", () => {
    const tokenizer = Tokenizer.from(sentencePieceTokenizer("tokenizer.model", modelBytes({ pieces: SMALL_PIECES }), undefined, undefined));
    expect(tokenizer.encode("abc a")).toEqual([5, 3]);
    expect(tokenizer.decode([5, 3])).toBe("abc a");
    expect(tokenizer.special).toEqual({ unk: { text: "<unk>", id: 0 }, bos: { text: "<s>", id: 1 }, eos: { text: "</s>", id: 2 } });
  });

  it("puts no space before a text where the model puts none", () => {
    const model = modelBytes({ pieces: SMALL_PIECES, addDummyPrefix: false });
    const tokenizer = Tokenizer.from(sentencePieceTokenizer("tokenizer.model", model, {}, {}));
    expect(tokenizer.encode("abc a")).toEqual([7, 4, 3]);
    expect(tokenizer.decode([7, 4, 3])).toBe("abc a");
  });

  it("makes T5's tokenizer of a unigram model, with its sentinels behind the pieces", () => {
    const tokenizer = Tokenizer.from(sentencePieceTokenizer("spiece.model", modelBytes({ pieces: SMALL_PIECES, algorithm: 1 }), T5, {}));
    expect(tokenizer.encode(" abc  a<extra_id_0>")).toEqual([3, 4, 3, 11, 2]);
    expect(tokenizer.vocabularySize).toBe(SMALL_PIECES.length + 2);
  });

  it.each<[string, object, object]>([
    [
      "its config",
      { added_tokens_decoder: { 10: { content: "<x>", special: true, rstrip: true }, 11: { content: "<y>" } } },
      { added: { "<z>": 9 } },
    ],
    ["added_tokens.json", {}, { added: { "<x>": 10, "<y>": 11 }, special: { pad_token: "<x>" } }],
  ])("has the tokens behind the pieces that the folder adds by %s", (_, config, older) => {
    const files = sentencePieceTokenizer("tokenizer.model", modelBytes({ pieces: SMALL_PIECES }), config, {}, older);
    const tokenizer = Tokenizer.from(files);
    expect(tokenizer.encode("a<x><y>")).toEqual([3, 10, 11]);
    expect([10, 11, 3].map((id) => tokenizer.isSpecial(id))).toEqual([true, false, false]);
    expect(tokenizer.vocabularySize).toBe(12);
  });

  it.each([
    [{ added_tokens_decoder: { x: { content: "<x>" } } }, {}],
    [{}, { added: { "<x>": -1 } }],
  ])("refuses an id that is none: %j %j", (config, older) => {
    const made = () => Tokenizer.from(sentencePieceTokenizer("tokenizer.model", modelBytes({ pieces: SMALL_PIECES }), config, {}, older));
    expect(made).toThrow(FormatError);
  });

  it("refuses a unigram model of another kind, and bytes that are no model", () => {
    const unigram = modelBytes({ pieces: SMALL_PIECES, algorithm: 1 });
    expect(() => sentencePieceTokenizer("m/tokenizer.model", unigram, {}, { model_type: "albert" })).toThrow(UnsupportedError);
    const broken = (bytes: Uint8Array) => () => sentencePieceTokenizer("m/tokenizer.model", bytes, {}, {});
    expect(broken(new Uint8Array())).toThrow(FormatError);
    expect(broken(new TextEncoder().encode("IQ== 0\nIg== 1\n"))).toThrow(
      expect.objectContaining({ name: "FormatError", file: "m/tokenizer.model" }),
    );
    expect(broken(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f))).toThrow(/4294967295 bytes, where 0 are left/);
  });

  it("answers every damaged model with a typed error, or a tokenizer that works", () => {
    const charsmap = [8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 65, 0];
    const models = [1, 2].map((algorithm) => modelBytes({ pieces: SMALL_PIECES, algorithm, charsmap }));
    const damage = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const typed = (error: unknown) => error instanceof FormatError || error instanceof UnsupportedError || error instanceof UsageError;
    fc.assert(
      fc.property(fc.constantFrom(...models), damage, fc.option(fc.nat(200)), (model, changes, cut) => {
        const bytes = model.slice(0, cut ?? model.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const tokenizer = Tokenizer.from(sentencePieceTokenizer("spiece.model", bytes, T5, {}));
          tokenizer.decode(tokenizer.encode("abc é a\n"));
        } catch (error) {
          if (!typed(error)) throw error;
        }
      }),
      { numRuns: fuzzCases(2000) },
    );
  });
});
