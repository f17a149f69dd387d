// Tokenizers of tokenizers.json.gz with T5's map of characters put where the reference left it out: it has most of the file's bytes, and is there once.
import { memoryFolder, readTokenizerFiles, type Tokenizer } from "@qlora-js/qlora";
import { TOKENIZERS } from "./tokenizers.ts";

const LEFT_OUT = '"precompiled_charsmap":"T5"';

/** What a tokenizer is made from. */
type Files = Parameters<typeof Tokenizer.from>[0];

/** The files of a folder that has a SentencePiece model and no tokenizer.json. */
export async function sentencePieceFolder(name: string, file = "tokenizer.model"): Promise<Files> {
  const { model, files: beside } = TOKENIZERS.folders[name]!;
  const files = new Map([
    [file, new Uint8Array(Buffer.from(model, "base64"))],
    ...Object.entries(beside).map(([other, json]) => [other, new TextEncoder().encode(JSON.stringify(json))] as const),
  ]);
  return (await readTokenizerFiles(memoryFolder(files)))!;
}

/** The tokenizer.json, whole. */
export async function completeTokenizer(tokenizer: object): Promise<object> {
  const written = JSON.stringify(tokenizer);
  if (!written.includes(LEFT_OUT)) return tokenizer;
  const { normalizer } = (await sentencePieceFolder("T5Tokenizer")).tokenizer as { normalizer: { precompiled_charsmap: string } };
  return JSON.parse(written.replace(LEFT_OUT, `"precompiled_charsmap":"${normalizer.precompiled_charsmap}"`)) as object;
}
