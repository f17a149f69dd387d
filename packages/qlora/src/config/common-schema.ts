// Keys of a `config.json` that families share, and what they may hold. Other keys are of no account to the numbers. The upper bounds are far above any
// model; they keep a damaged file from asking for the impossible.
import type { DType } from "@qlora-js/core";
import * as z from "zod/mini";
import { UsageError } from "../error.ts";
import { readQuantization } from "../formats/bitsandbytes/quantization-config.ts";
import { quoted } from "../formats/quoted.ts";
import type { DecoderConfig } from "./decoder-config.ts";

export const size = (most: number) => z.int().check(z.minimum(1), z.maximum(most));
export const positive = z.number().check(z.gt(0));
/** A flag that is `missing` where it is not given, or null. */
export const flag = (missing = false) =>
  z.pipe(
    z.nullish(z.boolean()),
    z.transform((x) => x ?? missing),
  );

export const hiddenSize = size(1 << 20);
export const intermediateSize = size(1 << 22);
export const layerCount = size(4096);
export const headCount = size(1 << 16);
const vocabSize = size(1 << 24);
export const positionCount = size(1 << 30);
export const normEps = positive.check(z.maximum(1));

const tokenId = z.int().check(z.minimum(-1), z.maximum(1 << 30));
/** Rotary settings: v4's `rope_scaling`, v5's `rope_parameters`. Values are checked once the kind is known. */
const rope = z.nullish(z.record(z.string(), z.unknown()));

/** What nearly every family's file may say. */
export const common = {
  vocab_size: vocabSize,
  bos_token_id: z.nullish(tokenId),
  eos_token_id: z.nullish(z.union([tokenId.check(z.minimum(0)), z.array(tokenId.check(z.minimum(0))).check(z.maxLength(1000))])),
  pad_token_id: z.nullish(tokenId),
  is_encoder_decoder: flag(),
  attention_dropout: z.nullish(z.number()),
  quantization_config: z.nullish(z.record(z.string(), z.unknown())),
  dtype: z.nullish(z.string()),
  torch_dtype: z.nullish(z.string()),
};

/** What families with rotary positions may say of them. */
export const rotary = {
  max_position_embeddings: z._default(positionCount, 2048),
  original_max_position_embeddings: z.nullish(positionCount),
  rope_theta: z.nullish(positive),
  rope_scaling: rope,
  rope_parameters: rope,
  partial_rotary_factor: z.nullish(positive),
};

export const GenerationSchema = z.object({ eos_token_id: common.eos_token_id });

const CommonSchema = z.object(common);
export type CommonJson = z.infer<typeof CommonSchema>;

type CommonConfig = Pick<DecoderConfig, "vocabSize" | "bosTokenId" | "eosTokenIds" | "padTokenId" | "dtype" | "quantization">;

/**
 * What all families say in the same words.
 * @throws UsageError for settings that would change what the model computes and are not done here
 */
export function readCommon(file: string, raw: CommonJson): CommonConfig {
  const refuse = (key: string, value: unknown, advice: string): never => {
    throw new UsageError(file, `${key} ${quoted(value)} is not supported. ${advice}`, { key, value });
  };
  if (raw.attention_dropout) refuse("attention_dropout", raw.attention_dropout, "Set it to 0.");
  if (raw.is_encoder_decoder) refuse("is_encoder_decoder", true, "Only decoders are.");
  const dtype = raw.dtype ?? raw.torch_dtype;
  if (dtype && dtype !== "auto" && !Object.hasOwn(DTYPES, dtype))
    refuse("dtype", dtype, `Weights are read from ${Object.keys(DTYPES).join(", ")}.`);
  return {
    vocabSize: raw.vocab_size,
    bosTokenId: present(raw.bos_token_id),
    eosTokenIds: [raw.eos_token_id ?? []].flat(),
    padTokenId: present(raw.pad_token_id),
    dtype: dtype && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined,
    quantization: raw.quantization_config ? readQuantization(file, raw.quantization_config) : undefined,
  };
}

const DTYPES: Readonly<Record<string, DType>> = { float32: "f32", float16: "f16", bfloat16: "bf16" };

/** Some files write -1 for a token they do not have. */
const present = (id: number | null | undefined): number | undefined => (id === null || id === undefined || id < 0 ? undefined : id);
