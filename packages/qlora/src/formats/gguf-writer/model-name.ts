// The name a GGUF file gives its model. It is more than a label: llama.cpp takes white space after special tokens away where the name says "phi-3", as
// Phi-3's tokenizer does, and then asks for four tokens by their text. So the name says it where the tokenizer does it, and does not where the tokens are
// missing. Source: llama.cpp v0.5.0, src/llama-vocab.cpp ("set attributes by model/tokenizer/architecture name").
import { z } from "zod";

const SAYS_PHI_3 = /phi-?3/gi;
const NEEDED = ["</s>", "<unk>", "<s>", "<|endoftext|>"];
const Stripping = z.looseObject({ added_tokens: z.array(z.looseObject({ special: z.boolean(), rstrip: z.boolean() })) });

/**
 * @param tokens texts of the vocabulary
 * @param tokenizer the tokenizer.json it is from
 */
export function modelName(name: string, tokens: readonly string[], tokenizer: unknown): string {
  const known = new Set(tokens);
  if (!NEEDED.every((token) => known.has(token))) return name.replace(SAYS_PHI_3, "Phi 3");
  const parsed = Stripping.safeParse(tokenizer);
  const strips = parsed.success && parsed.data.added_tokens.some(({ special, rstrip }) => special && rstrip);
  if (strips) return /phi-?3/i.test(name) ? name : `${name} (Phi-3)`;
  return name.replace(SAYS_PHI_3, "Phi 3");
}
