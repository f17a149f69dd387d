// What lies in a Hugging Face folder beside the weights: which of the files for text are there. Reads none of them.
import type { Folder } from "../formats/folder.ts";

export interface TextFiles {
  /** `tokenizer.json`; without it only rows of `input_ids` can be used. */
  readonly tokenizer: string | undefined;
  readonly tokenizerConfig: string | undefined;
  readonly specialTokens: string | undefined;
  /** The chat template as a file of its own, as transformers 5 writes it; else it is in the tokenizer's config. */
  readonly chatTemplate: string | undefined;
}

/** Names of the files for text, undefined where absent. */
export function textFiles(folder: Folder): TextFiles {
  const present = (name: string) => (folder.files.includes(name) ? name : undefined);
  return {
    tokenizer: present("tokenizer.json"),
    tokenizerConfig: present("tokenizer_config.json"),
    specialTokens: present("special_tokens_map.json"),
    chatTemplate: present("chat_template.jinja"),
  };
}

/** Those that decide how text becomes tokens, for hashing. */
export const textFileNames = (folder: Folder): string[] => Object.values(textFiles(folder)).filter((name) => name !== undefined);
