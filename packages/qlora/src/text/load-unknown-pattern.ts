// The reader of expressions that few tokenizers have is larger than all else that reads a tokenizer, so it is loaded when one is met.
import type { ExpressionReader } from "./pipeline/text-pattern.ts";

/** Loads what `TokenizerFiles.unknownPattern` asks for; `readTokenizerFiles` does so by itself. */
export async function loadUnknownPattern(): Promise<ExpressionReader> {
  const { unknownPattern } = await import("./pipeline/unknown-pattern.ts");
  return unknownPattern;
}
