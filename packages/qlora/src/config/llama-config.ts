// A Llama's `config.json` as plain numbers. Reads the words of transformers 4 (`rope_theta`, `rope_scaling`, `torch_dtype`) and of 5
// (`rope_parameters`, `dtype`) into the same thing, and refuses by name what would change the numbers and is not done here.
import { type DType, FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { type Folder, listing } from "../formats/folder.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson, readJson } from "../formats/read-json.ts";
import { GenerationSchema, type LlamaJson, LlamaSchema, SUPPORTED_MODEL_TYPES } from "./llama-schema.ts";
import { type RopeScaling, readRope } from "./rope.ts";

export const CONFIG_FILE = "config.json";
const GENERATION_FILE = "generation_config.json";
const MAX_CONFIG_BYTES = 4_000_000;

/** The shape of a Llama, and what its tokens mean. Frozen. */
export interface LlamaConfig {
  readonly modelType: "llama";
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Key and value heads; query head i reads head ⌊i · kvHeads / heads⌋. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly tieWordEmbeddings: boolean;
  /** Biases on q, k, v and o. */
  readonly attentionBias: boolean;
  /** Biases on gate, up and down. */
  readonly mlpBias: boolean;
  readonly hiddenAct: "silu";
  readonly bosTokenId: number | undefined;
  /** Every token that ends an answer; empty if the model names none. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | undefined;
  /** What the weights were saved in, if the file says. */
  readonly dtype: DType | undefined;
}

/**
 * Reads `config.json`, and the end tokens of `generation_config.json` where there is one.
 * @throws UsageError if there is no config.json, or the model is of a kind not supported
 * @throws FormatError if a value is missing or cannot be
 */
export async function readLlamaConfig(folder: Folder, file = CONFIG_FILE): Promise<LlamaConfig> {
  if (!folder.files.includes(file)) {
    throw new UsageError(folder.name, `has no ${file}, so it is not a model's folder. ${listing(folder)}.`, { files: folder.files });
  }
  const json = await readJson(folder, file, MAX_CONFIG_BYTES);
  const generation = folder.files.includes(GENERATION_FILE) ? await readJson(folder, GENERATION_FILE, MAX_CONFIG_BYTES) : {};
  return parseLlamaConfig(json, { file: `${folder.name}/${file}`, generation });
}

export interface ParseOptions {
  /** Name for errors. */
  readonly file?: string;
  /** Content of generation_config.json. */
  readonly generation?: unknown;
}

/**
 * The same from parsed JSON.
 * @throws UsageError if the model is of a kind not supported
 * @throws FormatError if a value is missing or cannot be
 */
export function parseLlamaConfig(json: unknown, { file = CONFIG_FILE, generation = {} }: ParseOptions = {}): LlamaConfig {
  refuseOtherModels(file, json);
  const raw = checkJson(file, LlamaSchema, json);
  refuseUnsupported(file, raw);
  const { eos_token_id } = checkJson(`${file.slice(0, file.lastIndexOf("/") + 1)}${GENERATION_FILE}`, GenerationSchema, generation);
  const heads = raw.num_attention_heads;
  const config: LlamaConfig = {
    modelType: "llama",
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    kvHeads: raw.num_key_value_heads ?? heads,
    headDim: raw.head_dim ?? raw.hidden_size / heads,
    vocabSize: raw.vocab_size,
    maxPositions: raw.max_position_embeddings,
    rmsNormEps: raw.rms_norm_eps,
    ...readRope(file, raw),
    tieWordEmbeddings: raw.tie_word_embeddings,
    attentionBias: raw.attention_bias,
    mlpBias: raw.mlp_bias,
    hiddenAct: "silu",
    bosTokenId: tokenId(raw.bos_token_id),
    eosTokenIds: Object.freeze([...new Set([raw.eos_token_id ?? [], eos_token_id ?? []].flat())]),
    padTokenId: tokenId(raw.pad_token_id),
    dtype: dtypeOf(raw),
  };
  checkSizes(file, config);
  return Object.freeze(config);
}

function refuseOtherModels(file: string, json: unknown): void {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (type === "llama") return;
  const supported = `Supported: ${SUPPORTED_MODEL_TYPES.join(", ")} (SmolLM2, Llama 2, Llama 3 and their fine-tunes)`;
  if (type === undefined) throw new FormatError(file, `"model_type" is missing. ${supported}.`);
  throw new UsageError(file, `model_type ${quoted(type)} is not supported. ${supported}.`, { key: "model_type", value: type });
}

/** Settings that would change what the model computes. */
function refuseUnsupported(file: string, raw: LlamaJson): void {
  const refuse = (key: string, value: unknown, advice: string): never => {
    throw new UsageError(file, `${key} ${quoted(value)} is not supported. ${advice}`, { key, value });
  };
  const method = raw.quantization_config?.quant_method;
  if (raw.quantization_config) refuse("quantization_config", method, "Give the model in 16 or 32 bits; it is quantized as it is read.");
  if (raw.hidden_act !== "silu" && raw.hidden_act !== "swish") refuse("hidden_act", raw.hidden_act, "Llamas use silu.");
  if (raw.attention_dropout) refuse("attention_dropout", raw.attention_dropout, "Set it to 0.");
  if (raw.rope_interleaved) refuse("rope_interleaved", true, "Rotary halves, as transformers has them, are.");
  if (raw.is_encoder_decoder) refuse("is_encoder_decoder", true, "Only decoders are.");
  const dtype = raw.dtype ?? raw.torch_dtype;
  if (dtype && dtype !== "auto" && !Object.hasOwn(DTYPES, dtype))
    refuse("dtype", dtype, `Weights are read from ${Object.keys(DTYPES).join(", ")}.`);
}

const DTYPES: Readonly<Record<string, DType>> = { float32: "f32", float16: "f16", bfloat16: "bf16" };

function dtypeOf(raw: LlamaJson): DType | undefined {
  const dtype = raw.dtype ?? raw.torch_dtype;
  return dtype && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
}

/** Some files write -1 for a token they do not have. */
const tokenId = (id: number | null | undefined): number | undefined => (id === null || id === undefined || id < 0 ? undefined : id);

function checkSizes(file: string, c: LlamaConfig): void {
  const fail = (what: string): never => {
    throw new FormatError(file, what);
  };
  if (!Number.isInteger(c.headDim)) fail(`hidden_size ${c.hiddenSize} cannot be divided among ${c.heads} heads.`);
  if (c.headDim % 2 !== 0) fail(`head_dim ${c.headDim} is odd; rotary positions turn pairs.`);
  if (c.heads % c.kvHeads !== 0) fail(`num_attention_heads ${c.heads} is not a multiple of num_key_value_heads ${c.kvHeads}.`);
  for (const id of [...c.eosTokenIds, ...(c.bosTokenId === undefined ? [] : [c.bosTokenId])]) {
    if (id >= c.vocabSize) fail(`token ${id} lies outside the vocabulary of ${c.vocabSize}.`);
  }
}
