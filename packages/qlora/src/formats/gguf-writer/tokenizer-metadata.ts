// A tokenizer as the metadata of a GGUF file, from tokenizer.json and its companions: byte-level BPE as `gpt2`, BPE over characters with bytes to fall
// back on (Llama 2, Mistral, Gemma, Phi-3, made from SentencePiece) as `llama`. Source: llama.cpp v0.5.0, conversion/base.py, gguf-py vocab.py.
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { UsageError } from "../../error.ts";
import { ChatTemplate } from "../../text/chat-template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { pathIn, type TokenizerFiles } from "../../text/tokenizer-files.ts";
import { quoted } from "../quoted.ts";
import { checkJson } from "../read-json.ts";
import { BpeJson, mergePairs } from "./bpe-json.ts";
import { bool, type GgufValue, int32s, string, strings, uint32 } from "./gguf-value.ts";
import { preTokenizerName } from "./pre-tokenizer.ts";
import { sentencePieceMetadata } from "./sentence-piece.ts";
import { tokenList } from "./token-list.ts";

/** What the model's own config says of tokens. */
export type ModelTokens = Pick<DecoderConfig, "vocabSize" | "bosTokenId" | "eosTokenIds" | "padTokenId">;

/**
 * @param model its vocabulary is the rows of the embedding table
 * @throws UsageError if it is of a kind that llama.cpp does not have
 * @throws FormatError if tokenizer.json is not what it should be
 */
export function tokenizerMetadata(files: TokenizerFiles, tokenizer: Tokenizer, model: ModelTokens): [string, GgufValue][] {
  const file = pathIn(files, "tokenizer.json");
  refuseOtherKinds(file, files.tokenizer);
  const json = checkJson(file, BpeJson, files.tokenizer);
  const vocabulary = json.model.byte_fallback
    ? sentencePieceMetadata(file, json, model.vocabSize)
    : byteLevelMetadata(file, json, model.vocabSize);
  return [...vocabulary, ...specialMetadata(files, tokenizer, model)];
}

function refuseOtherKinds(file: string, json: unknown): void {
  const type = (json as { model?: { type?: unknown } } | null)?.model?.type;
  if (type === undefined || type === null || type === "BPE") return;
  throw new UsageError(file, `a tokenizer of type ${quoted(type)} cannot be written as GGUF here; BPE can. Write safetensors.`, { type });
}

function byteLevelMetadata(file: string, json: BpeJson, vocabularySize: number): [string, GgufValue][] {
  const { model, normalizer, added_tokens: added } = json;
  // llama.cpp normalizes nothing. NFC leaves nearly all text as it is; its own converter passes over it too.
  if (normalizer && normalizer.type !== "NFC")
    throw new UsageError(file, `the normalizer ${quoted(normalizer)} is none that llama.cpp has. Write safetensors.`, { normalizer });
  const { texts, kinds } = tokenList(file, { vocabulary: model.vocab, added }, vocabularySize);
  // a space inside a merge is written as the letter that stands for it in byte-level texts
  const merges = mergePairs(json).map((pair) => pair.map((half) => half.replaceAll(" ", "Ġ")).join(" "));
  return [
    ["tokenizer.ggml.model", string("gpt2")],
    ["tokenizer.ggml.pre", string(preTokenizerName(file, json.pre_tokenizer, model.ignore_merges))],
    ["tokenizer.ggml.tokens", strings(texts)],
    ["tokenizer.ggml.token_type", int32s(kinds)],
    ["tokenizer.ggml.merges", strings(merges)],
  ];
}

/** A job that nobody names a token for would be done by one that llama.cpp takes for granted. */
function specialMetadata(files: TokenizerFiles, { special, prefixIds, suffixIds }: Tokenizer, model: ModelTokens): [string, GgufValue][] {
  const bos = special.bos?.id ?? model.bosTokenId;
  const eos = special.eos?.id ?? model.eosTokenIds[0];
  const ids = { bos, eos, unknown: special.unk?.id, padding: special.pad?.id ?? model.padTokenId };
  const template = ChatTemplate.from(files, special);
  return [
    ...Object.entries(ids).flatMap(([job, id]): [string, GgufValue][] =>
      id === undefined ? [] : [[`tokenizer.ggml.${job}_token_id`, uint32(id)]],
    ),
    ["tokenizer.ggml.add_bos_token", bool(bos !== undefined && prefixIds.includes(bos))],
    ["tokenizer.ggml.add_eos_token", bool(eos !== undefined && suffixIds.includes(eos))],
    ...(template ? [["tokenizer.chat_template", string(template.source)] as [string, GgufValue]] : []),
  ];
}
