import { expect, test } from "vitest";
import { modelName } from "./model-name.ts";

const PHI_TOKENS = ["a", "<unk>", "<s>", "</s>", "<|endoftext|>"];
const stripping = (rstrip: boolean) => ({ added_tokens: [{ id: 1, content: "<s>", special: true, rstrip }] });

test("a name says Phi-3 where special tokens take the space after them", () => {
  expect(modelName("my-assistant", PHI_TOKENS, stripping(true))).toBe("my-assistant (Phi-3)");
  expect(modelName("Phi-3-mini-4k", PHI_TOKENS, stripping(true))).toBe("Phi-3-mini-4k");
});

test("and does not where they do not, or where llama.cpp would miss tokens and not load the file", () => {
  expect(modelName("phi3-merged", PHI_TOKENS, stripping(false))).toBe("Phi 3-merged");
  expect(modelName("tiny-phi-3", ["a", "b"], stripping(true))).toBe("tiny-Phi 3");
  expect(modelName("SmolLM2", ["a"], null)).toBe("SmolLM2");
});
