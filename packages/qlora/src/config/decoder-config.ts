// Everything in which language models of the decoder-only kind differ here, as plain data. A family's file fills it in from its config.json; the model's
// code asks it, and never for the family's name.
import type { Activation } from "@qlora-js/core";
import type { BaseConfig } from "./base-config.ts";

/** How rotation frequencies are changed for long contexts. */
export type RopeScaling =
  | { readonly kind: "none" }
  /** All frequencies divided by the factor. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3.1: long waves divided by the factor, short ones kept, those between blended; at every length. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    }
  /** NTK: the base grows with texts longer than the model's positions. */
  | { readonly kind: "dynamic"; readonly factor: number; readonly maxPositions: number }
  /** YaRN (Peng et al. 2023): short waves kept, long ones divided by the factor, a ramp between; cosines and sines times the attention factor. */
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Bounds of the ramp are whole numbers. */
      readonly truncate: boolean;
      readonly attentionFactor: number;
      readonly originalMaxPositions: number;
    }
  /** LongRoPE (Ding et al. 2024): a divisor a frequency, one list for short texts and one for long; cosines and sines times the attention factor. */
  | {
      readonly kind: "longrope";
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly attentionFactor: number;
      readonly originalMaxPositions: number;
    };

/** One table of rotary angles; layers of a model may use different ones. */
export interface RopeConfig {
  readonly theta: number;
  /** Leading dimensions of each head that are turned; the rest pass. */
  readonly size: number;
  readonly scaling: RopeScaling;
}

/** What tells one layer from another. */
export interface LayerKind {
  /** Keys that a query sees at most, itself included; null for all before it. */
  readonly window: number | null;
  /** Which of the model's `ropes` turns queries and keys; null for none. */
  readonly rope: number | null;
}

export interface AttentionConfig {
  /** What scores are multiplied by, 1/√headDim mostly. */
  readonly scale: number;
  /** Scores s become c·tanh(s/c); null leaves them. */
  readonly softcap: number | null;
  /** Three matrices; or one whose outputs are all queries, all keys, all values; or one with query, key and value of each head in turn. */
  readonly projections: "separate" | "joined" | "joined by head";
  /** RMS norms of queries and keys, each head for itself or over all heads at once. */
  readonly queryKeyNorm: "none" | "head" | "row";
  /** Biases on queries, keys and values. */
  readonly bias: boolean;
  readonly outputBias: boolean;
}

export interface MlpConfig {
  /** down(act(gate)·up) with two matrices or with both in one, gate first; or down(act(up)). */
  readonly gate: "separate" | "joined" | "none";
  readonly activation: Activation;
  readonly bias: boolean;
}

export interface NormConfig {
  readonly kind: "rms" | "layer";
  readonly eps: number;
  /** The norm multiplies by 1 + weight (Gemma). */
  readonly plusOne: boolean;
}

/** Modules by the names of the checkpoint, those of a layer without its prefix. What a model has no use for stays empty. */
export interface DecoderNames {
  readonly embedding: string;
  /** The table of learned positions. */
  readonly positions: string;
  /** What precedes a layer's number. */
  readonly layers: string;
  readonly finalNorm: string;
  readonly head: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Queries, keys and values in one. */
  readonly joined: string;
  readonly output: string;
  readonly queryNorm: string;
  readonly keyNorm: string;
  readonly gate: string;
  readonly up: string;
  /** Gate and up in one. */
  readonly gateUp: string;
  readonly down: string;
  readonly attentionNorm: string;
  /** After attention, before the residual is added. */
  readonly attentionOutNorm: string;
  readonly mlpNorm: string;
  readonly mlpOutNorm: string;
}

/** A decoder-only language model. Frozen. */
export interface DecoderConfig extends BaseConfig {
  readonly kind: "decoder";
  /** Key and value heads; query head i reads head ⌊i · kvHeads / heads⌋. */
  readonly kvHeads: number;
  readonly attention: AttentionConfig;
  readonly mlp: MlpConfig;
  readonly norm: NormConfig;
  /**
   * Where norms stand: before attention and MLP; after them; on both sides; or before, with both reading the same input and one sum at the end
   * ("parallel").
   */
  readonly normPlaces: "before" | "after" | "around" | "parallel";
  readonly ropes: readonly RopeConfig[];
  /** Layer i is of kind i mod their number. */
  readonly layerKinds: readonly LayerKind[];
  /** Learned positions are added to the embeddings (GPT-2). */
  readonly learnedPositions: boolean;
  readonly embeddingScale: number;
  /** Files hold linear weights as [in, out] (GPT-2's Conv1D). */
  readonly transposedWeights: boolean;
  readonly names: DecoderNames;
}

export const layerKind = ({ layerKinds }: DecoderConfig, layer: number): LayerKind => layerKinds[layer % layerKinds.length]!;
