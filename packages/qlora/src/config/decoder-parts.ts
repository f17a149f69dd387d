// The parts a decoder consists of, by the names of the checkpoint, from its config alone: matrices, vectors, tables. Whoever makes a model (the loader, the
// plan, full fine-tuning) goes through this list; build-decoder.ts puts together what they made.
import type { DecoderConfig } from "./decoder-config.ts";

/** A matrix product of the model: y = x · Wᵀ (+ b), W [outFeatures, inFeatures]. Named as PEFT names it: the weight's name without `.weight`. */
export interface LinearModule {
  readonly kind: "linear";
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bias: boolean;
  /** The layer it is in; what is paged is paged by layers. */
  readonly layer: number;
  /** The file holds W as [in, out]. */
  readonly transposed: boolean;
}

/** A vector of a norm, kept in f32. The name has its ending, `.weight` or `.bias`. */
export interface VectorPart {
  readonly kind: "vector";
  readonly name: string;
  readonly size: number;
  /** 1 is added to what the file holds. */
  readonly plusOne: boolean;
}

/** A table with a row a token or a position, kept in the file's type. The name has its ending. */
export interface TablePart {
  readonly kind: "embedding" | "head";
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

export type ModelPart = LinearModule | VectorPart | TablePart;

/** The linear modules of every layer, in the order they compute; the output head is not among them. */
export const linearModules = (config: DecoderConfig): LinearModule[] =>
  Array.from({ length: config.layers }, (_, layer) => layerLinears(config, layer)).flat();

/** All parts; a tied head is not among them. */
export function decoderParts(config: DecoderConfig): ModelPart[] {
  const { hiddenSize: columns, names } = config;
  const table = (name: string, rows: number, kind: TablePart["kind"]): TablePart => ({ kind, name: `${name}.weight`, rows, columns });
  return [
    table(names.embedding, config.vocabSize, "embedding"),
    ...(config.learnedPositions ? [table(names.positions, config.maxPositions, "embedding")] : []),
    ...linearModules(config),
    ...Array.from({ length: config.layers }, (_, layer) => layerNorms(config, layer)).flat(),
    ...norm(config, names.finalNorm),
    ...(config.tieWordEmbeddings ? [] : [table(names.head, config.vocabSize, "head")]),
  ];
}

/** A norm's weight, and its bias if it is a layer norm. */
function norm({ hiddenSize, norm: { kind, plusOne } }: DecoderConfig, name: string, size = hiddenSize): VectorPart[] {
  const vector = (ending: string): VectorPart => ({ kind: "vector", name: `${name}.${ending}`, size, plusOne });
  return kind === "layer" ? [vector("weight"), vector("bias")] : [vector("weight")];
}

export const inLayer = ({ names }: DecoderConfig, layer: number, name: string): string => `${names.layers}.${layer}.${name}`;

function layerLinears(config: DecoderConfig, layer: number): LinearModule[] {
  const { hiddenSize: d, intermediateSize: ff, names, attention, mlp, transposedWeights: transposed } = config;
  const [q, kv] = [config.heads * config.headDim, config.kvHeads * config.headDim];
  const linear = (name: string, outFeatures: number, inFeatures: number, bias: boolean): LinearModule => {
    return { kind: "linear", name: inLayer(config, layer, name), outFeatures, inFeatures, bias, layer, transposed };
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

function layerNorms(config: DecoderConfig, layer: number): VectorPart[] {
  const { names, attention, heads, kvHeads, headDim } = config;
  const whole = attention.queryKeyNorm === "row";
  const ofQueries = (name: string, count: number): VectorPart => {
    return {
      kind: "vector",
      name: `${inLayer(config, layer, name)}.weight`,
      size: whole ? count * headDim : headDim,
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
