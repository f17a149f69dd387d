import { describe, expect, test } from "vitest";
import { TOKEN_TYPE } from "../gguf-types.ts";
import { sentencePiece } from "./sentence-piece.ts";

// What `generate_merges` of transformers 5.23.0 (convert_slow_tokenizer.py) makes of these pieces and scores.
const PIECES = "▁ a b c t h e é ▁t th ▁th he the ▁the ca at cat ▁c ▁cat ▁ca bé ab".split(" ");
const SCORES = [...Array(8).fill(-1000), -11, -6, -12, -5, -7, -13, -3, -1, -4, -8, -10, -9, -2, 0];
const BY_SCORE = "a b,a t,b é,c a,ca t,c at,h e,t h,th e,t he,▁ c,▁c a,▁ ca,▁ca t,▁c at,▁ cat,▁ t,▁t h,▁ th,▁th e,▁t he,▁ the";
const ALL_ALIKE = "▁th e,▁ca t,▁t he,▁c at,▁t h,th e,ca t,▁c a,▁ the,▁ cat,▁ th,t he,c at,▁ ca,▁ t,t h,h e,c a,a t,▁ c,b é,a b";

const vocabulary = (scores: number[] | undefined, types: Record<string, number> = {}) => ({
  tokens: PIECES,
  types: PIECES.map((piece) => types[piece] ?? TOKEN_TYPE.NORMAL),
  scores,
  merges: undefined,
});
const mergesOf = (...given: Parameters<typeof vocabulary>): string =>
  (sentencePiece(vocabulary(...given), undefined, true).model as { merges: string[][] }).merges.map((pair) => pair.join(" ")).join(",");

describe("merges", () => {
  test("are in the order of their pieces' scores", () => expect(mergesOf(SCORES)).toBe(BY_SCORE));

  test("of equal scores are in the order of the length of their left half", () => {
    expect(mergesOf(SCORES.map((score) => (score === -1000 ? score : -2)))).toBe(ALL_ALIKE);
  });

  test("never make or use a token that is matched as a whole", () => {
    const merges = mergesOf(SCORES, { the: TOKEN_TYPE.USER_DEFINED, cat: TOKEN_TYPE.CONTROL });
    expect(merges.split(",")).toEqual(
      BY_SCORE.split(",").filter((merge) => !["th e", "t he", "▁ the", "ca t", "c at", "▁ cat"].includes(merge)),
    );
  });

  test("that a file has are taken as they are", () => {
    const given = sentencePiece({ ...vocabulary(SCORES), merges: ["a b", "t h"] }, undefined, true);
    expect(given.model).toMatchObject({
      merges: [
        ["a", "b"],
        ["t", "h"],
      ],
    });
  });
});

test("a space goes before a text, and is taken away again, only where the file says so", () => {
  const [prefixed, bare] = [sentencePiece(vocabulary(SCORES), "<unk>", true), sentencePiece(vocabulary(SCORES), "<unk>", false)];
  expect(prefixed.normalizer).toMatchObject({ normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace" }] });
  expect(bare.normalizer).toMatchObject({ type: "Replace" });
  expect(prefixed.decoder).toMatchObject({ decoders: [{}, {}, {}, { type: "Strip", start: 1 }] });
  expect((bare.decoder as { decoders: object[] }).decoders).toHaveLength(3);
});
