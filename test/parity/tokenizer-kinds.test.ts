// Tokenizers of the families' kinds against transformers, on texts that are hard to cut: ids, what ids decode to, and the same id by id. The tokenizers are
// small, their settings the families' own (make_tokenizers.py). The reference is what the tokenizer.json says; transformers 5 itself leaves it for some
// classes (GPT2Tokenizer drops SmolLM2's rule for digits, LlamaTokenizer the space before each piece), which the tokenizers library does not.
import { memoryFolder, readTokenizerFiles, StreamDecoder, Tokenizer } from "@qlora-js/qlora";
import { describe, expect, it } from "vitest";
import { TOKENIZERS, type TokenizerCases } from "../reference/tokenizers.ts";

const bytes = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

const sentencePieceFolder = (name: string, file = "tokenizer.model"): ReturnType<typeof readTokenizerFiles> => {
  const { model, config } = TOKENIZERS.folders[name]!;
  const files = { [file]: new Uint8Array(Buffer.from(model, "base64")), "tokenizer_config.json": bytes(config) };
  return readTokenizerFiles(memoryFolder(new Map(Object.entries(files))));
};

/** Puts T5's map of characters where the reference left it out. */
async function complete(tokenizer: object): Promise<object> {
  const written = JSON.stringify(tokenizer);
  if (!written.includes('"precompiled_charsmap":"T5"')) return tokenizer;
  const model = (await sentencePieceFolder("T5Tokenizer"))?.tokenizer as { normalizer: { precompiled_charsmap: string } };
  return JSON.parse(
    written.replace('"precompiled_charsmap":"T5"', `"precompiled_charsmap":"${model.normalizer.precompiled_charsmap}"`),
  ) as object;
}

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
    const tokenizer = Tokenizer.from({ tokenizer: await complete(kind.tokenizer), config: kind.config });
    expectSame(tokenizer, kind, JSON.stringify(kind.tokenizer.decoder).includes("ByteFallback"));
  });
});

describe("a folder with a SentencePiece model and no tokenizer.json", () => {
  it.each(Object.keys(TOKENIZERS.folders))("of a %s gives the ids and texts of transformers, at once and streamed", async (name) => {
    const files = await sentencePieceFolder(name);
    expectSame(Tokenizer.from(files!), TOKENIZERS.folders[name]!, name !== "T5Tokenizer");
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
