// What belongs to a model besides its weights: config, tokenizer, template, and the terms it is used under. Copied as they are from a folder; written from
// the metadata where the model is a GGUF file.
import { withKey } from "../formats/bitsandbytes/config-text.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Folder } from "../formats/folder.ts";
import { ggufOf, openGgufOf } from "../formats/gguf/gguf-of-folder.ts";
import { readJson } from "../formats/read-json.ts";
import type { Content } from "../safe-write.ts";
import type { TokenizerFiles } from "../text/tokenizer-files.ts";

const CONFIG = "config.json";
const MAX_CONFIG_BYTES = 4_000_000;
const COPY_BYTES = 4 << 20;

const COPIED: readonly RegExp[] = [
  /^(generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|processor_config|preprocessor_config)\.json$/,
  /^(merges\.txt|tokenizer\.model|chat_template\.jinja)$/,
  /^(LICENSE|NOTICE|USE_POLICY)(\.\w+)?$/i,
];

/**
 * Contents by file name, each made when it is asked for.
 * @param config what becomes of the text of config.json. It says nothing of quantization if this is left out: the weights beside it are not quantized.
 */
export async function companions(
  folder: Folder,
  config: (text: string) => string = (text) => withKey(text, "quantization_config", undefined),
): Promise<ReadonlyMap<string, () => Promise<Content>>> {
  const gguf = ggufOf(folder);
  if (gguf !== undefined) return ofGguf(folder, gguf, config);
  const copied = folder.files.filter((name) => COPIED.some((pattern) => pattern.test(name)));
  return new Map([
    [CONFIG, async () => config(await configText(folder))],
    ...copied.map((name): [string, () => Promise<Content>] => [name, async () => pieces(await folder.open(name))]),
  ]);
}

/** Read as JSON first: a text that is none is refused. */
async function configText(folder: Folder): Promise<string> {
  await readJson(folder, CONFIG, MAX_CONFIG_BYTES);
  const source = await folder.open(CONFIG);
  try {
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}

async function* pieces(source: ByteSource): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < source.byteLength; at += COPY_BYTES) yield await source.read(at, Math.min(COPY_BYTES, source.byteLength - at));
  } finally {
    await source.close();
  }
}

async function ofGguf(
  folder: Folder,
  gguf: string,
  config: (text: string) => string,
): Promise<ReadonlyMap<string, () => Promise<Content>>> {
  const model = await openGgufOf(folder, gguf);
  const tokenizer = model.tokenizer();
  await model.files.close();
  const files = new Map<string, () => Promise<Content>>([[CONFIG, async () => config(floatsAsFloats(text(model.config)))]]);
  if (tokenizer) for (const [name, content] of textFiles(tokenizer)) files.set(name, async () => content);
  return files;
}

function textFiles({ tokenizer, config, specialTokensMap, generationConfig, chatTemplate }: TokenizerFiles): [string, string][] {
  const settings = { tokenizer_class: "PreTrainedTokenizerFast", ...(config as object | undefined) };
  const files: [string, unknown][] = [
    ["tokenizer.json", tokenizer],
    ["tokenizer_config.json", settings],
    ["special_tokens_map.json", specialTokensMap],
    ["generation_config.json", generationConfig],
  ];
  const written = files.filter(([, json]) => json !== undefined).map(([name, json]): [string, string] => [name, text(json)]);
  return chatTemplate === undefined ? written : [...written, ["chat_template.jinja", chatTemplate]];
}

const text = (json: unknown): string => `${JSON.stringify(json, undefined, 2)}\n`;

/** Keys of a config that are floats to transformers, which refuses whole numbers there. */
const FLOATS = [
  "rms_norm_eps",
  "layer_norm_eps",
  "layer_norm_epsilon",
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "rope_theta",
  "rotary_pct",
];
const WHOLE_FLOAT = new RegExp(`^(\\s*"(?:${FLOATS.join("|")})": -?\\d+)(,?)$`, "gm");

/** JSON indented line by line, whole floats with a point: JavaScript has one kind of number, Python two. */
const floatsAsFloats = (json: string): string => json.replace(WHOLE_FLOAT, "$1.0$2");
