// T5 (Raffel et al. 2020) as plain data: an encoder that sees all of a text, and a decoder that sees it too.

import type { Activation } from "@qlora-js/core";
import type { BaseConfig } from "./base-config.ts";

/** Frozen. `layers` counts those of the encoder, then those of the decoder. */
export interface T5Config extends BaseConfig {
  readonly kind: "t5";
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Of the table of relative positions. */
  readonly buckets: number;
  /** Positions further away than this share a bucket. */
  readonly maxDistance: number;
  readonly normEps: number;
  /** wo(act(wi_0)·wi_1), or wo(act(wi)). */
  readonly gated: boolean;
  readonly activation: Activation;
  /** Hidden states before the head are multiplied by this: 1/√hidden in version 1.0, whose head is tied; 1 after. */
  readonly outputScale: number;
  /** What a decoder starts from. */
  readonly decoderStartTokenId: number;
}
