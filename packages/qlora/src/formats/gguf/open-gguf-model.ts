// A GGUF file as what the rest of this package takes: a config.json, tensors under Hugging Face's names with Hugging Face's numbers, and the files of a tokenizer.
// Opening reads the header, and of the data only tables of rotary factors, and what it takes to see whether the head is a copy of the embedding.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import type { TokenizerFiles } from "../../text/tokenizer-files.ts";
import type { ByteSource } from "../byte-source.ts";
import type { ModelFiles } from "../model-files.ts";
import { quoted } from "../quoted.ts";
import { dequantize } from "./dequantize/dequantize.ts";
import type { GgufFile, GgufTensor } from "./gguf-file.ts";
import { openGgufParts } from "./gguf-parts.ts";
import { shown } from "./metadata.ts";
import { type ConfigJson, modelConfig } from "./model-config.ts";
import { huggingFaceTensors } from "./model-tensors.ts";
import { ROPE_TENSORS, type RopeTables } from "./rope-settings.ts";
import { Settings } from "./settings.ts";
import { type GgufArchitecture, TENSOR_NAMES } from "./tensor-names.ts";
import { ggufTokenizer } from "./tokenizer/tokenizer-json.ts";

/** What a Hugging Face folder holds, read from a GGUF model. */
export interface OpenedGgufModel {
  /** As a config.json has it. */
  readonly config: ConfigJson;
  /** Closing it closes the source. */
  readonly files: ModelFiles;
  /**
   * Makes the tokenizer's files; undefined where the file has no tokenizer.
   * @throws FormatError if its parts do not fit each other, UnsupportedError for a kind of tokenizer that is not read
   */
  tokenizer(): TokenizerFiles | undefined;
}

/** How quantized tensors come. */
export interface GgufModelOptions {
  /**
   * What quantized tensors become as they are read: BF16 (the default) is what nearly all models were before they were quantized, and takes half of F32;
   * F32 has every bit of what the blocks say.
   */
  readonly quantizedAs?: "F32" | "BF16";
}

/**
 * Opens a GGUF model of one of the architectures that are trained here. Its sources are closed with `files`, or at once if this fails.
 * @param source the file, or the parts that a large one was cut into, in order
 * @throws FormatError if it is not a sound GGUF file, or not the model that its metadata says
 * @throws UnsupportedError for an architecture or a type of tensor that is not read
 */
export async function openGgufModel(
  source: ByteSource | readonly ByteSource[],
  { quantizedAs = "BF16" }: GgufModelOptions = {},
): Promise<OpenedGgufModel> {
  const gguf = await openGgufParts("read" in source ? [source] : source);
  try {
    const architecture = architectureOf(gguf);
    const settings = new Settings(gguf, architecture);
    const embedding = gguf.tensors.get("token_embd.weight");
    if (!embedding) throw new FormatError(gguf.file, 'lacks the tensor "token_embd.weight".');
    const tied = await isTied(embedding, gguf.tensors.get("output.weight"));
    const config = modelConfig(architecture, settings, {
      vocabularySize: embedding.shape[0] ?? 0,
      tied,
      dtype: mainType(gguf, quantizedAs),
      ropeTables: await ropeTables(gguf),
      has: (tensor) => gguf.tensors.has(tensor),
    });
    const heads = settings.size("attention.head_count");
    const kvHeads = settings.optionalSize("attention.head_count_kv") ?? heads;
    const tensors = huggingFaceTensors(gguf, architecture, { heads: { heads, kvHeads }, quantizedAs, tied });
    const files: ModelFiles = { folder: gguf.file, files: [gguf.file], tensors, close: () => gguf.close() };
    return { config, files, tokenizer: () => ggufTokenizer(settings, config) };
  } catch (error) {
    await gguf.close();
    throw error;
  }
}

function architectureOf({ file, metadata }: GgufFile): GgufArchitecture {
  const [type, architecture] = ["general.type", "general.architecture"].map((key) => metadata.get(key));
  if (type === "adapter") throw new UnsupportedError(`${file}: holds an adapter, not a model. Give the base model here.`);
  if (type !== undefined && type !== "model") throw new UnsupportedError(`${file}: holds ${shown(type)}, not a model of text.`);
  if (architecture === undefined) throw new FormatError(file, 'lacks the metadata "general.architecture".');
  if (typeof architecture === "string" && Object.hasOwn(TENSOR_NAMES, architecture)) return architecture as GgufArchitecture;
  const known = Object.keys(TENSOR_NAMES).join(", ");
  throw new UnsupportedError(`${file}: the architecture ${shown(architecture)} is not supported in GGUF files. Supported: ${known}.`);
}

/** Read at a time to compare. */
const PIECE_BYTES = 1 << 20;

/** Whether there is no head but the embedding, or a copy of it, as converters wrote for GPT-2. Two that differ do so at once. */
async function isTied(embedding: GgufTensor, head: GgufTensor | undefined): Promise<boolean> {
  if (!head) return true;
  if (head.type !== embedding.type || head.byteLength !== embedding.byteLength) return false;
  for (let at = 0; at < head.byteLength; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, head.byteLength - at);
    const [a, b] = [await embedding.read(at, length), await head.read(at, length)];
    if (!a.every((byte, i) => byte === b[i])) return false;
  }
  return true;
}

/** What the largest tensor is read as. */
function mainType({ tensors }: GgufFile, quantizedAs: "F32" | "BF16"): "float32" | "float16" | "bfloat16" {
  const [largest] = [...tensors.values()].sort((a, b) => b.byteLength - a.byteLength);
  const type = largest?.type === "F32" || largest?.type === "F16" || largest?.type === "BF16" ? largest.type : quantizedAs;
  return ({ F32: "float32", F16: "float16", BF16: "bfloat16" } as const)[type];
}

async function ropeTables({ tensors }: GgufFile): Promise<RopeTables> {
  const tables: { -readonly [K in keyof RopeTables]: RopeTables[K] } = {};
  for (const [table, name] of Object.entries(ROPE_TENSORS) as [keyof RopeTables, string][]) {
    const tensor = tensors.get(name);
    if (tensor) tables[table] = await ropeTable(name, tensor);
  }
  return tables;
}

/** Half of the widest head there is. */
const MAX_FREQUENCIES = 32_768;

async function ropeTable(name: string, tensor: GgufTensor): Promise<Float32Array> {
  if (tensor.type !== "F32" || tensor.byteLength > 4 * MAX_FREQUENCIES)
    throw new FormatError(tensor.file, `tensor ${quoted(name)} is no list of up to ${MAX_FREQUENCIES} numbers in F32.`);
  const factors = dequantize("F32", await tensor.read());
  if (factors.every((factor) => Number.isFinite(factor) && factor > 0)) return factors;
  throw new FormatError(tensor.file, `tensor ${quoted(name)} holds a factor that is not above 0.`);
}
