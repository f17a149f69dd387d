// T5 1.0 and 1.1, Flan-T5 (Raffel et al. 2020; transformers' modeling_t5.py). Version 1.1 has a gate in its MLPs and a head of its own; 1.0 has neither, and scales
// what goes into its tied head. Its dropout (0.1) is not applied.
import * as z from "zod/mini";
import { activationOf } from "../config/activation-word.ts";
import { common, flag, headCount, hiddenSize, intermediateSize, layerCount, normEps, readCommon, size } from "../config/common-schema.ts";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import { checkJson } from "../formats/read-json.ts";
import type { Family } from "./family.ts";

const Schema = z.object({
  ...common,
  vocab_size: z._default(size(1 << 24), 32_128),
  pad_token_id: z._default(common.pad_token_id, 0),
  eos_token_id: z._default(common.eos_token_id, 1),
  d_model: z._default(hiddenSize, 512),
  d_kv: z._default(headCount, 64),
  d_ff: z._default(intermediateSize, 2048),
  num_layers: z._default(layerCount, 6),
  num_decoder_layers: z.nullish(layerCount),
  num_heads: z._default(headCount, 8),
  relative_attention_num_buckets: z._default(size(1 << 16), 32),
  relative_attention_max_distance: z._default(size(1 << 24), 128),
  layer_norm_epsilon: z._default(normEps, 1e-6),
  feed_forward_proj: z._default(z.string(), "relu"),
  tie_word_embeddings: flag(true),
  scale_decoder_outputs: z.nullish(z.boolean()),
  decoder_start_token_id: z.nullish(z.int().check(z.minimum(0))),
});

export const t5: Family = {
  modelTypes: ["t5"],
  known: "T5, T5 1.1, Flan-T5",
  read(file, json) {
    const raw = checkJson(file, Schema, json);
    // transformers 5 writes tie_word_embeddings: true for 1.1 too, and tells the versions apart by scale_decoder_outputs; on the hub the mark is
    // tie_word_embeddings
    const tied = raw.scale_decoder_outputs ?? raw.tie_word_embeddings;
    const encoderLayers = raw.num_layers;
    const decoderLayers = raw.num_decoder_layers ?? raw.num_layers;
    const { relative_attention_num_buckets: buckets, relative_attention_max_distance: maxDistance } = raw;
    if (buckets % 4 !== 0 || maxDistance <= buckets / 2)
      throw new UsageError(
        file,
        `relative_attention_num_buckets ${buckets} with relative_attention_max_distance ${maxDistance} is not supported. Buckets are a multiple of 4, and distances reach further than half of them.`,
        { key: "relative_attention_num_buckets", value: buckets },
      );
    return {
      kind: "t5",
      modelType: "t5",
      hiddenSize: raw.d_model,
      intermediateSize: raw.d_ff,
      layers: encoderLayers + decoderLayers,
      encoderLayers,
      decoderLayers,
      heads: raw.num_heads,
      headDim: raw.d_kv,
      maxPositions: Number.POSITIVE_INFINITY,
      ...readCommon(file, { ...raw, is_encoder_decoder: false }),
      buckets,
      maxDistance,
      normEps: raw.layer_norm_epsilon,
      ...feedForward(file, raw.feed_forward_proj),
      outputScale: tied ? raw.d_model ** -0.5 : 1,
      decoderStartTokenId: raw.decoder_start_token_id ?? 0,
      logitSoftcap: null,
      tieWordEmbeddings: tied,
      names: { embedding: "shared", head: "lm_head" },
      renamed: [],
    };
  },
};

/** `relu`, `gated-gelu`: transformers takes the latter's gelu by tanh. */
function feedForward(file: string, word: string) {
  const [, gated, name] = /^(gated-)?(\w+)$/.exec(word) ?? [];
  if (!name)
    throw new UsageError(file, `feed_forward_proj ${quoted(word)} is not supported. "relu" and "gated-gelu" are.`, { value: word });
  const activation = word === "gated-gelu" ? "geluTanh" : activationOf(file, "feed_forward_proj", name);
  return { gated: gated !== undefined, activation } as const;
}
