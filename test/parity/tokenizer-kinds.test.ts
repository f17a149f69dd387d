// Tokenizers of the families' kinds against transformers, on texts that are hard to cut: ids, what ids decode to, and the same id by id. The tokenizers are
// small, their settings the families' own (make_tokenizers.py). The reference is what the tokenizer.json says; transformers 5 itself leaves it for some
// classes (GPT2Tokenizer drops SmolLM2's rule for digits, LlamaTokenizer the space before each piece), which the tokenizers library does not.
import { loadUnknownPattern, StreamDecoder, Tokenizer } from "@qlora-js/qlora";
import { describe, expect, it } from "vitest";
import { completeTokenizer, sentencePieceFolder } from "../reference/complete-tokenizer.ts";
import { TOKENIZERS, type TokenizerCases } from "../reference/tokenizers.ts";

function streamed(tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens: boolean): string {
  const stream = new StreamDecoder(tokenizer, { skipSpecialTokens });
  return [...ids.map((id) => stream.push(id)), stream.flush()].join("");
}

/** Differences by text, so that a failure shows them all. */
function expectSame(tokenizer: Tokenizer, { texts, ids }: TokenizerCases, fallsBackToBytes: boolean): void {
  const plain = { addSpecialTokens: false };
  const ours = texts.map(([text, list]) => [
    text,
    tokenizer.encode(text, plain),
    tokenizer.encode(text),
    tokenizer.decode(list),
    tokenizer.decode(list, { skipSpecialTokens: true }),
  ]);
  expect(ours).toEqual(texts);
  expect(ids.map(([list]) => [list, tokenizer.decode(list), tokenizer.decode(list, { skipSpecialTokens: true })])).toEqual(ids);
  const decoded = [
    ...texts.map(([, list, , all, some]) => [list, all, some] as const),
    ...ids.filter(([, all]) => !fallsBackToBytes || !all.includes("\uFFFD")),
  ];
  expect(decoded.map(([list]) => [list, streamed(tokenizer, list, false), streamed(tokenizer, list, true)])).toEqual(decoded);
}

describe("a tokenizer of the kind", () => {
  it.each(Object.entries(TOKENIZERS.kinds))("%s gives the ids and texts of transformers, at once and streamed", async (_, kind) => {
    const tokenizer = Tokenizer.from({
      tokenizer: await completeTokenizer(kind.tokenizer),
      config: kind.config,
      unknownPattern: await loadUnknownPattern(),
    });
    expectSame(tokenizer, kind, JSON.stringify(kind.tokenizer.decoder).includes("ByteFallback"));
  });
});

describe("a folder with a SentencePiece model and no tokenizer.json", () => {
  it.each(Object.keys(TOKENIZERS.folders))("of a %s gives the ids and texts of transformers, at once and streamed", async (name) => {
    const files = await sentencePieceFolder(name);
    expectSame(Tokenizer.from(files), TOKENIZERS.folders[name]!, name !== "T5Tokenizer");
  });

  it("has it by either name", async () => {
    expect(await sentencePieceFolder("T5Tokenizer", "spiece.model")).toEqual(await sentencePieceFolder("T5Tokenizer"));
  });
});

describe("streamed bytes that turn out not to be UTF-8", () => {
  const kind = TOKENIZERS.kinds.mistral!;
  const tokenizer = Tokenizer.from({ tokenizer: kind.tokenizer, config: kind.config });
  const ids = (hex: string) => hex.split(" ").map((byte) => tokenizer.tokenToId(`<0x${byte}>`)!);

  it("leave whole characters of their run that were shown, where decoding at once gives none of it", () => {
    expect(tokenizer.decode(ids("46 FF 41"))).toBe("\uFFFD\uFFFD\uFFFD");
    expect(streamed(tokenizer, ids("46 FF 41"), false)).toBe("F\uFFFD\uFFFD");
  });
});
