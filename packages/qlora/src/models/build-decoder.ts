// From a config and the parts that decoderParts() lists, made by whoever makes them, to a model.
import type { Backend, Tensor } from "@qlora-js/core";
import { type DecoderConfig, layerKind } from "../config/decoder-config.ts";
import { inLayer } from "../config/decoder-parts.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { Mlp, type MlpInputs } from "../nn/mlp.ts";
import { Norm } from "../nn/norm.ts";
import { type Projections, SelfAttention } from "../nn/self-attention.ts";
import { Decoder } from "./decoder.ts";
import { DecoderLayer } from "./decoder-layer.ts";

/** Linear layers under their names; tensors under theirs, with the ending. */
export type Parts = ReadonlyMap<string, LinearSlot | Tensor>;

/** Puts a model together. @throws RangeError if a part is not there */
export function buildDecoder(backend: Backend, config: DecoderConfig, parts: Parts): Decoder {
  const { names, tieWordEmbeddings } = config;
  const take = new Taker(config, parts);
  const embedding = take.tensor(`${names.embedding}.weight`);
  return new Decoder(backend, config, {
    embedding,
    positions: config.learnedPositions ? take.tensor(`${names.positions}.weight`) : null,
    layers: Array.from({ length: config.layers }, (_, i) => takeLayer(take, i)),
    norm: take.norm(names.finalNorm),
    head: tieWordEmbeddings ? embedding : take.tensor(`${names.head}.weight`),
    byName: parts,
  });
}

class Taker {
  constructor(
    readonly config: DecoderConfig,
    readonly parts: Parts,
  ) {}

  tensor(name: string): Tensor {
    const part = this.parts.get(name);
    if (!part || part instanceof LinearSlot) throw new RangeError(`${name} is no tensor among the parts.`);
    return part;
  }

  linear(name: string): LinearSlot {
    const part = this.parts.get(name);
    if (!(part instanceof LinearSlot)) throw new RangeError(`${name} is no linear layer among the parts.`);
    return part;
  }

  norm(name: string): Norm {
    const { kind, eps } = this.config.norm;
    return new Norm(this.tensor(`${name}.weight`), kind === "layer" ? this.tensor(`${name}.bias`) : null, eps);
  }
}

function takeLayer(take: Taker, layer: number): DecoderLayer {
  const { config } = take;
  const { names, normPlaces } = config;
  const norm = (name: string): Norm => take.norm(inLayer(config, layer, name));
  const [before, after] = [normPlaces !== "after", normPlaces === "after" || normPlaces === "around"];
  return new DecoderLayer(normPlaces, {
    attention: takeAttention(take, layer),
    mlp: takeMlp(take, layer),
    attentionNorm: before ? norm(names.attentionNorm) : null,
    attentionOutNorm: after ? norm(names.attentionOutNorm) : null,
    mlpNorm: before ? norm(names.mlpNorm) : null,
    mlpOutNorm: after ? norm(names.mlpOutNorm) : null,
  });
}

function takeAttention(take: Taker, layer: number): SelfAttention {
  const { config } = take;
  const { names, attention } = config;
  const linear = (name: string): LinearSlot => take.linear(inLayer(config, layer, name));
  const norm = (name: string): Tensor | null =>
    attention.queryKeyNorm === "none" ? null : take.tensor(`${inLayer(config, layer, name)}.weight`);
  const projections: Projections =
    attention.projections === "separate"
      ? { kind: "separate", query: linear(names.query), key: linear(names.key), value: linear(names.value) }
      : { kind: attention.projections, joined: linear(names.joined) };
  return new SelfAttention(config, layer, layerKind(config, layer), {
    projections,
    output: linear(names.output),
    queryNorm: norm(names.queryNorm),
    keyNorm: norm(names.keyNorm),
  });
}

function takeMlp(take: Taker, layer: number): Mlp {
  const { config } = take;
  const { names, intermediateSize, mlp } = config;
  const linear = (name: string): LinearSlot => take.linear(inLayer(config, layer, name));
  const inputs = ((): MlpInputs => {
    if (mlp.gate === "separate") return { kind: "separate", gate: linear(names.gate), up: linear(names.up) };
    if (mlp.gate === "joined") return { kind: "joined", gateUp: linear(names.gateUp), size: intermediateSize };
    return { kind: "none", up: linear(names.up) };
  })();
  return new Mlp(inputs, linear(names.down), mlp.activation);
}
