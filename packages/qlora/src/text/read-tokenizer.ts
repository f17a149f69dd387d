// The tokenizer's files of a model folder, wherever the folder is. Which of them there are differs from model to model; only tokenizer.json has to be there,
// or in its place a SentencePiece model, which becomes one.
import { FormatError } from "@qlora-js/core";
import type { Folder } from "../formats/folder.ts";
import { ggufOf, openGgufOf } from "../formats/gguf/gguf-of-folder.ts";
import { readJson } from "../formats/read-json.ts";
import { loadUnknownPattern } from "./load-unknown-pattern.ts";
import { hasUnknownPattern } from "./pipeline/known-patterns.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";

/** Gemma's tokenizer.json, among the largest, has 33 MB. */
const MAX_TOKENIZER_BYTES = 200_000_000;
const MAX_CONFIG_BYTES = 10_000_000;
/** Names of SentencePiece models: Llama's, Mistral's and Gemma's; T5's. */
const SENTENCE_PIECE = ["tokenizer.model", "spiece.model"];

/**
 * Reads what a tokenizer and its chat template are made from.
 * @returns undefined if the folder has no tokenizer.json, no SentencePiece model and no GGUF file with a tokenizer: rows of ids can still be used.
 * @throws FormatError if a file cannot be read, or is not JSON
 */
export async function readTokenizerFiles(folder: Folder): Promise<TokenizerFiles | undefined> {
  const files = await readFiles(folder);
  if (files === undefined || !hasUnknownPattern(stepsOf(files.tokenizer))) return files;
  return { ...files, unknownPattern: await loadUnknownPattern() };
}

/** A tokenizer.json but for its vocabulary. */
const stepsOf = (tokenizer: unknown): object => ({ ...(tokenizer as object), model: {} });

async function readFiles(folder: Folder): Promise<TokenizerFiles | undefined> {
  const gguf = ggufOf(folder);
  if (gguf !== undefined) return readGgufTokenizer(folder, gguf);
  const sentencePiece = SENTENCE_PIECE.find((file) => folder.files.includes(file));
  if (!folder.files.includes("tokenizer.json") && sentencePiece === undefined) return undefined;
  const json = async (file: string): Promise<unknown> =>
    folder.files.includes(file) ? readJson(folder, file, MAX_CONFIG_BYTES) : undefined;
  const chatTemplate = folder.files.includes("chat_template.jinja") ? await readText(folder, "chat_template.jinja") : undefined;
  const config = await json("tokenizer_config.json");
  const modelConfig = await json("config.json");
  const files = {
    folder: folder.name,
    specialTokensMap: await json("special_tokens_map.json"),
    generationConfig: await json("generation_config.json"),
    modelConfig,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
  if (folder.files.includes("tokenizer.json"))
    return { ...files, tokenizer: await readJson(folder, "tokenizer.json", MAX_TOKENIZER_BYTES), config };
  const model = await readWhole(folder, sentencePiece ?? "", MAX_TOKENIZER_BYTES);
  const { sentencePieceTokenizer } = await import("../formats/sentencepiece/sentencepiece-tokenizer.ts");
  const older = { added: await json("added_tokens.json"), special: files.specialTokensMap };
  return { ...files, ...sentencePieceTokenizer(model.name, model.bytes, config, modelConfig, older) };
}

async function readGgufTokenizer(folder: Folder, gguf: string): Promise<TokenizerFiles | undefined> {
  const model = await openGgufOf(folder, gguf);
  await model.files.close();
  return model.tokenizer();
}

async function readText(folder: Folder, file: string): Promise<string> {
  const { name, bytes } = await readWhole(folder, file, MAX_CONFIG_BYTES);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(name, "is not UTF-8 text.", { cause });
  }
}

async function readWhole(folder: Folder, file: string, maxBytes: number): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const source = await folder.open(file);
  try {
    const { name, byteLength } = source;
    if (byteLength > maxBytes) throw new FormatError(name, `has ${byteLength} bytes; a file of its kind has at most ${maxBytes}.`);
    return { name, bytes: await source.read(0, byteLength) };
  } finally {
    await source.close();
  }
}
