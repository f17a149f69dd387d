// From a config and the parts that decoderParts() lists, made by whoever makes them, to a model.
import type { Backend } from "@qlora-js/core";
import { type DecoderConfig, layerKind } from "../config/decoder-config.ts";
import { inLayer } from "../config/decoder-parts.ts";
import type { LinearSlot } from "../nn/linear-slot.ts";
import { Mlp, type MlpInputs } from "../nn/mlp.ts";
import type { Norm } from "../nn/norm.ts";
import { type Projections, SelfAttention } from "../nn/self-attention.ts";
import type { TensorSlot } from "../nn/tensor-slot.ts";
import { Decoder } from "./decoder.ts";
import { DecoderLayer } from "./decoder-layer.ts";
import type { Parts } from "./language-model.ts";
import { PartTaker } from "./part-taker.ts";

/** Puts a model together. @throws RangeError if a part is not there */
export function buildDecoder(backend: Backend, config: DecoderConfig, parts: Parts): Decoder {
  const { names, norm, tieWordEmbeddings } = config;
  const take = new PartTaker(parts);
  const embedding = take.slot(`${names.embedding}.weight`);
  const inside = {
    embedding,
    positions: config.learnedPositions ? take.slot(`${names.positions}.weight`) : null,
    layers: Array.from({ length: config.layers }, (_, i) => new LayerBuilder(config, i, take).build()),
    norm: take.norm(names.finalNorm, norm.kind, norm.eps),
    head: take.slot(`${names.head}.weight`, tieWordEmbeddings ? embedding.frozen : undefined),
  };
  return new Decoder(backend, config, parts, take.slots(), inside);
}

class LayerBuilder {
  constructor(
    readonly config: DecoderConfig,
    readonly layer: number,
    readonly take: PartTaker,
  ) {}

  build(): DecoderLayer {
    const { names, normPlaces } = this.config;
    const [before, after] = [normPlaces !== "after", normPlaces === "after" || normPlaces === "around"];
    return new DecoderLayer(normPlaces, {
      attention: this.#attention(),
      mlp: this.#mlp(),
      attentionNorm: before ? this.#norm(names.attentionNorm) : null,
      attentionOutNorm: after ? this.#norm(names.attentionOutNorm) : null,
      mlpNorm: before ? this.#norm(names.mlpNorm) : null,
      mlpOutNorm: after ? this.#norm(names.mlpOutNorm) : null,
    });
  }

  #name = (name: string): string => inLayer(this.config, this.layer, name);
  #linear = (name: string): LinearSlot => this.take.linear(this.#name(name));
  #norm = (name: string): Norm => this.take.norm(this.#name(name), this.config.norm.kind, this.config.norm.eps);

  #attention(): SelfAttention {
    const { config, layer } = this;
    const { names, attention } = config;
    const norm = (name: string): TensorSlot | null =>
      attention.queryKeyNorm === "none" ? null : this.take.slot(`${this.#name(name)}.weight`);
    const projections: Projections =
      attention.projections === "separate"
        ? { kind: "separate", query: this.#linear(names.query), key: this.#linear(names.key), value: this.#linear(names.value) }
        : { kind: attention.projections, joined: this.#linear(names.joined) };
    return new SelfAttention(config, layer, layerKind(config, layer), {
      projections,
      output: this.#linear(names.output),
      queryNorm: norm(names.queryNorm),
      keyNorm: norm(names.keyNorm),
    });
  }

  #mlp(): Mlp {
    const { names, intermediateSize, mlp } = this.config;
    const inputs = ((): MlpInputs => {
      if (mlp.gate === "separate") return { kind: "separate", gate: this.#linear(names.gate), up: this.#linear(names.up) };
      if (mlp.gate === "joined") return { kind: "joined", gateUp: this.#linear(names.gateUp), size: intermediateSize };
      return { kind: "none", up: this.#linear(names.up) };
    })();
    return new Mlp(inputs, this.#linear(names.down), mlp.activation);
  }
}
