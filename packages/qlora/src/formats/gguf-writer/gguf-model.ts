// A whole model as a GGUF file that llama.cpp loads: metadata, tokenizer, tensors. What is written here was never in memory whole.
import type { DecoderConfig } from "../../config/decoder-config.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { TokenizerFiles } from "../../text/tokenizer-files.ts";
import type { ModelFiles } from "../model-files.ts";
import type { WrittenType } from "./encode-tensor.ts";
import { ggufArchitecture } from "./gguf-architecture.ts";
import type { GgufTensor } from "./gguf-layout.ts";
import { ggufTensors } from "./gguf-tensors.ts";
import type { GgufMetadata, GgufValue } from "./gguf-value.ts";
import { modelMetadata } from "./model-metadata.ts";
import { modelName } from "./model-name.ts";
import { tokenizerMetadata } from "./tokenizer-metadata.ts";

/** What the file is made of. */
export interface GgufModelSource {
  /** The model's name, for whoever lists models. */
  readonly name: string;
  readonly config: DecoderConfig;
  readonly files: ModelFiles;
  /** A file without a tokenizer can be written, and computed with by ids alone. */
  readonly text: { readonly files: TokenizerFiles; readonly tokenizer: Tokenizer } | undefined;
}

/** A GGUF file to be written: metadata, and tensors that are made as they are read. */
export interface GgufModel {
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensor[];
  /** What llama.cpp computes otherwise than this model, in whole sentences. */
  readonly warnings: readonly string[];
}

/**
 * What the file is to hold; `ggufChunks` makes its bytes.
 * @param type of matrices; vectors stay in f32, and with Q4_0 embeddings and head are Q8_0
 * @throws UsageError if llama.cpp cannot compute what this model computes, or cut text as its tokenizer does
 * @throws FormatError if the files lack a tensor
 */
export function ggufModel({ name, config, files, text }: GgufModelSource, type: WrittenType): GgufModel {
  const { architecture, warnings } = ggufArchitecture(files.folder, config);
  const tensors = ggufTensors(architecture, config, files, type);
  const parameterCount = tensors.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  const none: [string, GgufValue][] = [["tokenizer.ggml.model", { type: "string", value: "none" }]];
  const textual = text ? tokenizerMetadata(text.files, text.tokenizer, config) : none;
  const tokens = textual.flatMap(([key, value]) => (key === "tokenizer.ggml.tokens" && value.type === "strings" ? value.values : []));
  const safeName = modelName(name, tokens, text?.files.tokenizer);
  return {
    metadata: new Map([...modelMetadata(architecture, config, { name: safeName, type, parameterCount }), ...textual]),
    tensors,
    warnings,
  };
}
