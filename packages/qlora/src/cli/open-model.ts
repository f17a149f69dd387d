// What a model's folder says without its weights: shape, tokenizer, chat template. Enough to look at data and to plan.
import type { ModelConfig } from "../config/model-config.ts";
import { readModelConfig } from "../config/model-config.ts";
import type { Folder } from "../formats/folder.ts";
import { openFolder } from "../formats/node-folder.ts";
import { ChatTemplate } from "../text/chat-template.ts";
import { readTokenizerFiles } from "../text/read-tokenizer.ts";
import { Tokenizer } from "../text/tokenizer.ts";

export interface ModelFolder {
  readonly folder: Folder;
  readonly config: ModelConfig;
  /** Undefined where the folder has none: rows of ids can still be used. */
  readonly tokenizer: Tokenizer | undefined;
  readonly template: ChatTemplate | undefined;
  /** Tokens that end an answer. */
  readonly stopIds: readonly number[];
}

/**
 * Reads a model's folder, but none of its weights.
 * @throws UsageError if it is not a model's folder, or of a kind not supported
 * @throws FormatError if one of its files is not what it should be
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const folder = await openFolder(path);
  const config = await readModelConfig(folder);
  const files = await readTokenizerFiles(folder);
  const tokenizer = files && Tokenizer.from(files);
  const template = files && tokenizer && ChatTemplate.from(files, tokenizer.special);
  return { folder, config, tokenizer, template, stopIds: tokenizer?.stopIds ?? config.eosTokenIds };
}
