import { FormatError, UnsupportedError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { byteLevelFiles, chatml, gemma, llama2, llama3, metaspaceFiles } from "./samples.fixture.ts";
import { Tokenizer } from "./tokenizer.ts";

describe("Tokenizer", () => {
  it("gives back every text it encoded", () => {
    const { tokenizer } = chatml();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("knows the tokens with a job, as text or as objects, and from either file", () => {
    const files = byteLevelFiles(["<a>", "<b>"], { bos_token: { content: "<a>" }, no_bos: true });
    const { special } = Tokenizer.from({ ...files, specialTokensMap: { eos_token: "<b>", bos_token: "<b>" } });
    expect(special).toEqual({ bos: { text: "<a>", id: 0 }, eos: { text: "<b>", id: 1 } });
  });

  it("stops at the generation config's ids and at its own end of sequence, each once", () => {
    expect(llama3().tokenizer.stopIds).toEqual([1, 4]);
    expect(gemma().tokenizer.stopIds).toEqual([1, 3]);
    expect(chatml().tokenizer.stopIds).toEqual([1]);
  });

  it("reads stop ids from config.json where there is no generation config", () => {
    const files = byteLevelFiles(["<a>", "<b>"], { eos_token: "<a>" });
    expect(Tokenizer.from({ ...files, modelConfig: { eos_token_id: 1 } }).stopIds).toEqual([1, 0]);
  });

  it("puts the special tokens of the post-processor around a text, or not", () => {
    const { tokenizer } = llama3();
    expect(tokenizer.prefixIds).toEqual([0]);
    expect(tokenizer.encode("")).toEqual([0]);
    expect(tokenizer.encode("in")).toEqual([0, tokenizer.tokenToId("in")]);
    expect(tokenizer.encode("in", { addSpecialTokens: false })).toEqual([tokenizer.tokenToId("in")]);
  });

  it("lets add_bos_token and add_eos_token in the config replace what the post-processor adds", () => {
    const none = Tokenizer.from(metaspaceFiles({ add_bos_token: false }));
    const both = Tokenizer.from(metaspaceFiles({ add_bos_token: true, add_eos_token: true }));
    expect([none.prefixIds, none.suffixIds]).toEqual([[], []]);
    expect([both.prefixIds, both.suffixIds]).toEqual([[1], [2]]);
  });

  it("recognises special tokens in a text and leaves them out of what it decodes on request", () => {
    const { tokenizer } = chatml();
    const ids = tokenizer.encode("<|im_start|>hi<|im_end|>");
    expect([ids[0], ids.at(-1)]).toEqual([0, 1]);
    expect(tokenizer.decode(ids)).toBe("<|im_start|>hi<|im_end|>");
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("hi");
    expect(ids.map((id) => tokenizer.isSpecial(id))).toEqual([true, false, false, true]);
  });

  it("decodes what the ids say: no space is cleaned up, ids outside the vocabulary say nothing", () => {
    const { tokenizer } = chatml();
    expect(tokenizer.decode([...tokenizer.encode("a , b ."), 100_000])).toBe("a , b .");
    expect(tokenizer.decode([])).toBe("");
  });

  it("counts its vocabulary through the largest id and names tokens both ways", () => {
    const { tokenizer } = chatml();
    expect(tokenizer.vocabularySize).toBe(3 + 256 + 3);
    expect(tokenizer.idToToken(0)).toBe("<|im_start|>");
    expect(tokenizer.idToToken(262)).toBeUndefined();
    expect(tokenizer.tokenToId("<|im_end|>")).toBe(1);
  });

  it("falls back to bytes for characters a sentence-piece vocabulary lacks", () => {
    const { tokenizer } = llama2();
    const ids = tokenizer.encode("é", { addSpecialTokens: false });
    expect(ids.map((id) => tokenizer.idToToken(id))).toEqual(["▁", "<0xC3>", "<0xA9>"]);
    expect(tokenizer.decode(ids)).toBe("é");
  });

  it("refuses a text it has no token for", () => {
    const tokenizer = Tokenizer.from({ tokenizer: { model: { type: "Unigram", vocab: [["a", -1]] } } });
    expect(() => tokenizer.encode("a b")).toThrow(UsageError);
  });

  it("names the file and field that is not what it should be", () => {
    const files = byteLevelFiles(["<a>"], {});
    const failing = (change: object) => () => Tokenizer.from({ ...files, ...change });
    expect(failing({ tokenizer: { added_tokens: [] } })).toThrow(FormatError);
    expect(failing({ tokenizer: { added_tokens: [] } })).toThrow(expect.objectContaining({ file: "tokenizer.json" }));
    expect(failing({ config: { eos_token: "<nowhere>" } })).toThrow(expect.objectContaining({ file: "tokenizer_config.json" }));
    expect(failing({ generationConfig: { eos_token_id: "two" } })).toThrow(expect.objectContaining({ file: "generation_config.json" }));
  });

  it("says so when tokenizer.json asks for what the library does not do", () => {
    const files = { tokenizer: { model: { type: "BPE", vocab: { a: 0 }, merges: [] }, pre_tokenizer: { type: "Telepathy" } } };
    expect(() => Tokenizer.from(files)).toThrow(UnsupportedError);
  });
});
