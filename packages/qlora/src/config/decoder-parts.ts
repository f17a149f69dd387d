// The parts of a decoder by the names of the checkpoint, from its config alone.
import type { DecoderConfig } from "./decoder-config.ts";
import type { LinearModule, ModelPart, SmallPart, TablePart } from "./model-part.ts";

/** All parts, linear ones in the order they compute; a tied head is not among them. */
export function decoderParts(config: DecoderConfig): ModelPart[] {
  const { hiddenSize: columns, names } = config;
  const table = (name: string, rows: number, kind: TablePart["kind"]): TablePart => ({ kind, name: `${name}.weight`, rows, columns });
  return [
    table(names.embedding, config.vocabSize, "embedding"),
    ...(config.learnedPositions ? [table(names.positions, config.maxPositions, "embedding")] : []),
    ...layers(config, layerLinears),
    ...layers(config, layerNorms),
    ...norm(config, names.finalNorm),
    ...(config.tieWordEmbeddings ? [] : [table(names.head, config.vocabSize, "head")]),
  ];
}

const layers = <T>(config: DecoderConfig, of: (config: DecoderConfig, layer: number) => T[]): T[] =>
  Array.from({ length: config.layers }, (_, layer) => of(config, layer)).flat();

/** A norm's weight, and its bias if it is a layer norm. */
function norm({ hiddenSize, norm: { kind, plusOne } }: DecoderConfig, name: string, size = hiddenSize): SmallPart[] {
  const vector = (ending: string): SmallPart => ({ kind: "small", name: `${name}.${ending}`, shape: [size], plusOne });
  return kind === "layer" ? [vector("weight"), vector("bias")] : [vector("weight")];
}

export const inLayer = ({ names }: DecoderConfig, layer: number, name: string): string => `${names.layers}.${layer}.${name}`;

function layerLinears(config: DecoderConfig, layer: number): LinearModule[] {
  const { hiddenSize: d, intermediateSize: ff, names, attention, mlp, transposedWeights: transposed } = config;
  const [q, kv] = [config.heads * config.headDim, config.kvHeads * config.headDim];
  const linear = (name: string, outFeatures: number, inFeatures: number, bias: boolean): LinearModule => {
    return { kind: "linear", name: inLayer(config, layer, name), outFeatures, inFeatures, bias, layer, transposed, keep: false };
  };
  const separate = (): LinearModule[] => [
    linear(names.query, q, d, attention.bias),
    linear(names.key, kv, d, attention.bias),
    linear(names.value, kv, d, attention.bias),
  ];
  const inner = {
    separate: () => [linear(names.gate, ff, d, mlp.bias), linear(names.up, ff, d, mlp.bias)],
    joined: () => [linear(names.gateUp, 2 * ff, d, mlp.bias)],
    none: () => [linear(names.up, ff, d, mlp.bias)],
  } as const;
  return [
    ...(attention.projections === "separate" ? separate() : [linear(names.joined, q + 2 * kv, d, attention.bias)]),
    linear(names.output, d, q, attention.outputBias),
    ...inner[mlp.gate](),
    linear(names.down, d, ff, mlp.bias),
  ];
}

function layerNorms(config: DecoderConfig, layer: number): SmallPart[] {
  const { names, attention, heads, kvHeads, headDim } = config;
  const whole = attention.queryKeyNorm === "row";
  const ofQueries = (name: string, count: number): SmallPart => {
    return {
      kind: "small",
      name: `${inLayer(config, layer, name)}.weight`,
      shape: [whole ? count * headDim : headDim],
      plusOne: config.norm.plusOne,
    };
  };
  return [
    ...normNames(config).flatMap((name) => norm(config, inLayer(config, layer, name))),
    ...(attention.queryKeyNorm === "none" ? [] : [ofQueries(names.queryNorm, heads), ofQueries(names.keyNorm, kvHeads)]),
  ];
}

/** The norms of a layer, by where they stand. */
function normNames({ names, normPlaces }: DecoderConfig): string[] {
  const [before, after] = [
    [names.attentionNorm, names.mlpNorm],
    [names.attentionOutNorm, names.mlpOutNorm],
  ];
  if (normPlaces === "after") return after;
  return normPlaces === "around" ? [...before, ...after] : before;
}
