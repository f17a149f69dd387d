// The tokenizers of the reference on texts and ids that nobody chose, against the tokenizers library itself.
import { loadUnknownPattern, StreamDecoder, Tokenizer } from "@qlora-js/qlora";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeTokenizer } from "../reference/complete-tokenizer.ts";
import { TOKENIZERS } from "../reference/tokenizers.ts";
import { NEEDS_PYTHON, python, runPython } from "./python.ts";

/** Texts for each tokenizer, and half as many lists of ids. */
const TEXTS = Number(process.env.QLORA_FUZZ_CASES ?? 400);

/** Scripts and symbols that were in Unicode long before either side's tables. */
const RANGES = [
  [0x20, 0x24f],
  [0x370, 0x4ff],
  [0x5d0, 0x64a],
  [0x900, 0x97f],
  [0xe01, 0xe4e],
  [0x1100, 0x1112],
  [0x2000, 0x206f],
  [0x2150, 0x2188],
  [0x3041, 0x30ff],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0xf900, 0xfa2d],
  [0xff01, 0xffee],
  [0x1d400, 0x1d7cb],
  [0x1f300, 0x1f64f],
  [0x20000, 0x2a6d6],
] as const;

/** Characters that rules turn on, and others. No lone surrogates: they are no text to Python. */
const character = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ..." \n\r\t.,'!-_<>|▁0129aestAEST",
      "é",
      "́",
      "世",
      "カ",
      "゙",
      "م",
      "١",
      "²",
      "½",
      "\u00a0",
      "\u3000",
      "\ufeff",
      "\u0085",
      "😀",
      "\u200d",
      "\ufe0f",
      "ﬁ",
      "ſ",
      "İ",
      "가",
      "ᄀ",
      "ᅡ",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(...RANGES.map(([from, to]) => fc.integer({ min: from, max: to }))).map((code) => String.fromCodePoint(code)),
  },
  { weight: 1, arbitrary: fc.constantFrom("  ", "\r\n", "\n\n", " the", "ing", "'s", "'LL", "1234", "<unk>", "word") },
);

describe.skipIf(python() === undefined)(`tokenizers on texts nobody chose (${NEEDS_PYTHON})`, () => {
  it.each(Object.keys(TOKENIZERS.kinds))("%s gives the ids and texts of the tokenizers library", async (name) => {
    const kind = TOKENIZERS.kinds[name]!;
    const json = await completeTokenizer(kind.tokenizer);
    const tokenizer = Tokenizer.from({ tokenizer: json, config: kind.config, unknownPattern: await loadUnknownPattern() });
    const added = [...tokenizer.addedTokens.values()].filter((token) => token !== "");
    const unit = fc.oneof({ weight: 20, arbitrary: character }, { weight: 1, arbitrary: fc.constantFrom(...added) });
    const text = fc.array(unit, { maxLength: 60 }).map((parts) => parts.join(""));
    const seed = Date.now() & 0xffff_ffff;
    const texts = fc.sample(text, { numRuns: TEXTS, seed });
    const ids = fc.sample(fc.array(fc.nat(tokenizer.vocabularySize - 1), { maxLength: 20 }), { numRuns: TEXTS / 2, seed });
    const output = await runPython("./encode.py", [], { input: JSON.stringify({ tokenizer: json, texts, ids }) });
    const { encoded, decoded } = JSON.parse(output) as { encoded: number[][]; decoded: string[] };
    const found = texts.map((one) => tokenizer.encode(one, { addSpecialTokens: false }));
    const differing = texts.flatMap((one, i) =>
      JSON.stringify(found[i]) === JSON.stringify(encoded[i]) ? [] : [[one, found[i], encoded[i]]],
    );
    expect(differing, `seed ${seed}`).toEqual([]);
    expect(
      [...encoded, ...ids].map((list) => tokenizer.decode(list)),
      `seed ${seed}`,
    ).toEqual(decoded);
    expect(
      encoded.map((list) => streamed(tokenizer, list)),
      `seed ${seed}`,
    ).toEqual(decoded.slice(0, encoded.length));
  });
});

function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const stream = new StreamDecoder(tokenizer, { skipSpecialTokens: false });
  return [...ids.map((id) => stream.push(id)), stream.flush()].join("");
}
