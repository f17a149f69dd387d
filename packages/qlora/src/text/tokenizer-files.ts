// What a Hugging Face folder says about its tokenizer, as parsed JSON: the shapes we read and the special tokens they name. No file access here.
// Only what is read from every tokenizer.json is described here; its steps and its vocabulary are checked where they are made to work (pipeline/).
import * as z from "zod/mini";
import { checkJson } from "../formats/read-json.ts";
import type { ExpressionReader } from "./pipeline/text-pattern.ts";

/** The parsed files of a folder that a tokenizer is made from. `tokenizer` is required, the rest helps. */
export interface TokenizerFiles {
  /** The folder they are from; errors carry it. */
  readonly folder?: string;
  /** `tokenizer.json` */
  readonly tokenizer: unknown;
  /** `tokenizer_config.json` */
  readonly config?: unknown;
  /** `special_tokens_map.json` */
  readonly specialTokensMap?: unknown;
  /** `generation_config.json`: its `eos_token_id`, a number or a list, says where generation stops. */
  readonly generationConfig?: unknown;
  /** `config.json`, read for `eos_token_id` where there is no generation config. */
  readonly modelConfig?: unknown;
  /** The text of `chat_template.jinja`; it goes before a template inside `tokenizer_config.json`. */
  readonly chatTemplate?: string;
  /** Reads the regular expressions that few tokenizers have: `await loadUnknownPattern()`. `readTokenizerFiles` loads it where there are some. */
  readonly unknownPattern?: ExpressionReader;
}

const tokenText = z.optional(
  z.union([
    z.string(),
    z.pipe(
      z.looseObject({ content: z.string() }),
      z.transform((t) => t.content),
    ),
    z.null(),
  ]),
);

const specialNames = z.looseObject({ bos_token: tokenText, eos_token: tokenText, pad_token: tokenText, unk_token: tokenText });

/** Ids go into 32-bit integers. */
const tokenId = z.int().check(z.nonnegative(), z.maximum(0x7fff_ffff));

/** Each place of a text may have to be compared with so much; the longest known have some tens. */
const LONGEST_ADDED = 1000;

const addedToken = z.pipe(
  z.looseObject({
    id: tokenId,
    content: z.string().check(z.maxLength(LONGEST_ADDED)),
    special: z._default(z.boolean(), false),
    single_word: z._default(z.boolean(), false),
    lstrip: z._default(z.boolean(), false),
    rstrip: z._default(z.boolean(), false),
    normalized: z.optional(z.boolean()),
  }),
  z.transform((token) => ({ ...token, normalized: token.normalized ?? !token.special })),
);

const tokenizerJson = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z._default(z.array(addedToken), []),
  normalizer: z._default(z.nullable(z.looseObject({})), null),
  pre_tokenizer: z._default(z.nullable(z.looseObject({})), null),
  post_processor: z._default(z.nullable(z.looseObject({})), null),
  decoder: z._default(z.nullable(z.looseObject({})), null),
});

const namedTemplates = z.array(z.looseObject({ name: z.string(), template: z.string() }));

const tokenizerConfig = z.extend(specialNames, {
  add_bos_token: z.nullish(z.boolean()),
  add_eos_token: z.nullish(z.boolean()),
  chat_template: z.optional(z.union([z.string(), namedTemplates, z.null()])),
});

const stopIds = z.looseObject({
  eos_token_id: z.optional(z.union([z.int().check(z.nonnegative()), z.array(z.int().check(z.nonnegative())), z.null()])),
});

/** The files after checking: every field we read has its type, the rest is as it came. */
export interface CheckedFiles {
  readonly tokenizer: z.infer<typeof tokenizerJson>;
  readonly config: z.infer<typeof tokenizerConfig>;
  readonly specialTokensMap: z.infer<typeof specialNames>;
  /** Ids that end generation, by generation_config.json or else config.json. */
  readonly stopIds: readonly number[];
  readonly chatTemplate: string | undefined;
  readonly unknownPattern: ExpressionReader | undefined;
}

/**
 * Checks the parsed files of a tokenizer.
 * @throws FormatError naming the file and the first field that is not what it should be.
 */
export function checkTokenizerFiles(files: TokenizerFiles): CheckedFiles {
  const check = <T>(file: string, schema: z.ZodMiniType<T>, json: unknown): T => checkJson(pathIn(files, file), schema, json);
  const generation = check("generation_config.json", stopIds, files.generationConfig ?? {}).eos_token_id;
  const model = check("config.json", stopIds, files.modelConfig ?? {}).eos_token_id;
  return {
    tokenizer: check("tokenizer.json", tokenizerJson, files.tokenizer),
    config: check("tokenizer_config.json", tokenizerConfig, files.config ?? {}),
    specialTokensMap: check("special_tokens_map.json", specialNames, files.specialTokensMap ?? {}),
    stopIds: [generation ?? model ?? []].flat(),
    chatTemplate: files.chatTemplate,
    unknownPattern: files.unknownPattern,
  };
}

/** A file's name as errors show it. */
export const pathIn = ({ folder }: TokenizerFiles, file: string): string => (folder === undefined ? file : `${folder}/${file}`);
