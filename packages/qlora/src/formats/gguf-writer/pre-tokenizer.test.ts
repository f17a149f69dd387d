import { describe, expect, it } from "vitest";
import { UsageError } from "../../error.ts";
import { preTokenizerName } from "./pre-tokenizer.ts";

const BYTES = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
const PLAIN_BYTES = { ...BYTES, use_regex: false };
const CL100K = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = CL100K.replace("{1,3}", "");
const split = (Regex: string, more: object = { behavior: "Isolated", invert: false }) => ({
  type: "Sequence",
  pretokenizers: [{ type: "Split", pattern: { Regex }, ...more }, PLAIN_BYTES],
});
const digits = (individual_digits: boolean) => ({ type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits }, BYTES] });

describe("preTokenizerName", () => {
  it.each([
    ["GPT-2, GPT-NeoX", BYTES, false, "gpt-2"],
    ["a file that does not say use_regex", { type: "ByteLevel" }, false, "gpt-2"],
    ["SmolLM, StarCoder", digits(true), false, "smollm"],
    ["Llama 3", split(CL100K), true, "llama-bpe"],
    ["OLMo 2, converted from tiktoken", split(CL100K, { behavior: "Removed", invert: true }), false, "dbrx"],
    ["Qwen 2 and 3", split(QWEN2), false, "qwen2"],
  ])("names %s", (_, preTokenizer, ignoreMerges, name) => {
    expect(preTokenizerName("tokenizer.json", preTokenizer, ignoreMerges)).toBe(name);
  });

  it.each([
    ["nothing", null, false],
    ["no byte level", { type: "Whitespace" }, false],
    ["digits by runs", digits(false), false],
    ["an expression nobody has", split(String.raw`\w+`), false],
    ["a split that throws matches away", split(CL100K, { behavior: "Removed", invert: false }), false],
    ["two cuts", { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: CL100K }, behavior: "Isolated" }, BYTES] }, false],
    ["Qwen's with words taken whole", split(QWEN2), true],
    ["three steps", { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, BYTES, BYTES] }, false],
  ])("refuses %s, with what it is", (_, preTokenizer, ignoreMerges) => {
    const naming = () => preTokenizerName("m/tokenizer.json", preTokenizer, ignoreMerges);
    expect(naming).toThrow(UsageError);
    expect(naming).toThrow(expect.objectContaining({ where: "m/tokenizer.json", fields: { pre_tokenizer: preTokenizer } }));
  });
});
