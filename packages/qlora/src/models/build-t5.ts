// From a config and the parts that t5Parts() lists to a model.
import type { Backend } from "@qlora-js/core";
import type { T5Config } from "../config/t5-config.ts";
import { relativeBias, sublayer, type T5Stack } from "../config/t5-parts.ts";
import { Mlp } from "../nn/mlp.ts";
import { T5Attention } from "../nn/t5-attention.ts";
import type { Parts } from "./language-model.ts";
import { PartTaker } from "./part-taker.ts";
import { T5 } from "./t5.ts";
import { T5DecoderBlock, T5EncoderBlock } from "./t5-block.ts";

/** Puts a model together. @throws RangeError if a part is not there */
export function buildT5(backend: Backend, config: T5Config, parts: Parts): T5 {
  const { names, tieWordEmbeddings, encoderLayers, decoderLayers, normEps } = config;
  const take = new PartTaker(parts);
  const blocks = new BlockBuilder(config, take);
  const embedding = take.tensor(`${names.embedding}.weight`);
  const finalNorm = (stack: T5Stack) => take.norm(`${stack}.final_layer_norm`, "rms", normEps);
  const inside = {
    embedding,
    head: take.slot(`${names.head}.weight`, tieWordEmbeddings ? embedding : undefined),
    encoder: Array.from({ length: encoderLayers }, (_, i) => blocks.encoder(i)),
    decoder: Array.from({ length: decoderLayers }, (_, i) => blocks.decoder(i)),
    encoderNorm: finalNorm("encoder"),
    decoderNorm: finalNorm("decoder"),
    distances: { encoder: take.tensor(relativeBias("encoder")), decoder: take.tensor(relativeBias("decoder")) },
  };
  return new T5(backend, config, parts, take.slots(), inside);
}

class BlockBuilder {
  constructor(
    readonly config: T5Config,
    readonly take: PartTaker,
  ) {}

  encoder(block: number): T5EncoderBlock {
    const at = (index: number): string => sublayer("encoder", block, index);
    return new T5EncoderBlock(this.#attention(at(0), "SelfAttention"), this.#mlp(at(1)));
  }

  decoder(block: number): T5DecoderBlock {
    const at = (index: number): string => sublayer("decoder", block, index);
    return new T5DecoderBlock(this.#attention(at(0), "SelfAttention"), this.#attention(at(1), "EncDecAttention"), this.#mlp(at(2)));
  }

  #norm = (at: string) => this.take.norm(`${at}.layer_norm`, "rms", this.config.normEps);

  #attention(at: string, name: string) {
    const { heads, headDim } = this.config;
    const linear = (part: string) => this.take.linear(`${at}.${name}.${part}`);
    const parts = { query: linear("q"), key: linear("k"), value: linear("v"), output: linear("o") };
    return { norm: this.#norm(at), part: new T5Attention(heads, headDim, parts) };
  }

  #mlp(at: string) {
    const { gated, activation } = this.config;
    const linear = (part: string) => this.take.linear(`${at}.DenseReluDense.${part}`);
    const inputs = gated
      ? ({ kind: "separate", gate: linear("wi_0"), up: linear("wi_1") } as const)
      : ({ kind: "none", up: linear("wi") } as const);
    return { norm: this.#norm(at), part: new Mlp(inputs, linear("wo"), activation) };
  }
}
