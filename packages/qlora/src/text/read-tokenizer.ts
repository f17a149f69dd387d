// The tokenizer's files of a model folder, wherever the folder is. Which of them there are differs from model to model; only tokenizer.json has to be there.
import { FormatError } from "@qlora-js/core";
import type { Folder } from "../formats/folder.ts";
import { ggufOf, openGgufOf } from "../formats/gguf/gguf-of-folder.ts";
import { readJson } from "../formats/read-json.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";

/** Gemma's tokenizer.json, among the largest, has 33 MB. */
const MAX_TOKENIZER_BYTES = 200_000_000;
const MAX_CONFIG_BYTES = 10_000_000;

/**
 * Reads what a tokenizer and its chat template are made from.
 * @returns undefined if the folder has no tokenizer.json, and no GGUF file with a tokenizer: rows of ids can still be used.
 * @throws FormatError if a file cannot be read, or is not JSON
 */
export async function readTokenizerFiles(folder: Folder): Promise<TokenizerFiles | undefined> {
  const gguf = ggufOf(folder);
  if (gguf !== undefined) return readGgufTokenizer(folder, gguf);
  if (!folder.files.includes("tokenizer.json")) return undefined;
  const json = async (file: string): Promise<unknown> =>
    folder.files.includes(file) ? readJson(folder, file, MAX_CONFIG_BYTES) : undefined;
  const chatTemplate = folder.files.includes("chat_template.jinja") ? await readText(folder, "chat_template.jinja") : undefined;
  return {
    folder: folder.name,
    tokenizer: await readJson(folder, "tokenizer.json", MAX_TOKENIZER_BYTES),
    config: await json("tokenizer_config.json"),
    specialTokensMap: await json("special_tokens_map.json"),
    generationConfig: await json("generation_config.json"),
    modelConfig: await json("config.json"),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
}

async function readGgufTokenizer(folder: Folder, gguf: string): Promise<TokenizerFiles | undefined> {
  const model = await openGgufOf(folder, gguf);
  await model.files.close();
  return model.tokenizer();
}

async function readText(folder: Folder, file: string): Promise<string> {
  const source = await folder.open(file);
  try {
    if (source.byteLength > MAX_CONFIG_BYTES)
      throw new FormatError(source.name, `has ${source.byteLength} bytes, too many for a chat template.`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await source.read(0, source.byteLength));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(source.name, "is not UTF-8 text.", { cause });
  } finally {
    await source.close();
  }
}
