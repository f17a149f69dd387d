// The parts of a T5 by the names of the checkpoint, from its config alone.
import type { LinearModule, ModelPart, SmallPart, TablePart } from "./model-part.ts";
import type { T5Config } from "./t5-config.ts";

export type T5Stack = "encoder" | "decoder";

/** `decoder.block.3.layer.1`: a sublayer. The encoder's are attention and MLP; the decoder has attention to the encoder between them. */
export const sublayer = (stack: T5Stack, block: number, index: number): string => `${stack}.block.${block}.layer.${index}`;

/** The table of relative positions, which the first block has for all of its stack. */
export const relativeBias = (stack: T5Stack): string => `${sublayer(stack, 0, 0)}.SelfAttention.relative_attention_bias.weight`;

/** All parts, the encoder's before the decoder's; a tied head is not among them. */
export function t5Parts(config: T5Config): ModelPart[] {
  const { hiddenSize: columns, vocabSize: rows, names, encoderLayers, decoderLayers } = config;
  const table = (name: string, kind: TablePart["kind"]): TablePart => ({ kind, name: `${name}.weight`, rows, columns });
  return [
    table(names.embedding, "embedding"),
    ...stackParts(config, "encoder", encoderLayers, 0),
    ...stackParts(config, "decoder", decoderLayers, encoderLayers),
    ...(config.tieWordEmbeddings ? [] : [table(names.head, "head")]),
  ];
}

/** @param before layers of the model before this stack's */
function stackParts(config: T5Config, stack: T5Stack, blocks: number, before: number): ModelPart[] {
  const { hiddenSize, heads, buckets } = config;
  const small = (name: string, shape: readonly number[]): SmallPart => ({ kind: "small", name, shape, plusOne: false });
  return [
    small(relativeBias(stack), [buckets, heads]),
    ...Array.from({ length: blocks }, (_, block) => blockLinears(config, stack, block, before + block)).flat(),
    ...Array.from({ length: blocks }, (_, block) =>
      Array.from({ length: stack === "encoder" ? 2 : 3 }, (_, i) => small(`${sublayer(stack, block, i)}.layer_norm.weight`, [hiddenSize])),
    ).flat(),
    small(`${stack}.final_layer_norm.weight`, [hiddenSize]),
  ];
}

function blockLinears(
  { hiddenSize: d, intermediateSize: ff, heads, headDim, gated }: T5Config,
  stack: T5Stack,
  block: number,
  layer: number,
) {
  const inner = heads * headDim;
  const linear = (sub: number, name: string, outFeatures: number, inFeatures: number, keep = false): LinearModule => {
    return {
      kind: "linear",
      name: `${sublayer(stack, block, sub)}.${name}`,
      outFeatures,
      inFeatures,
      bias: false,
      layer,
      transposed: false,
      keep,
    };
  };
  const attention = (sub: number, name: string): LinearModule[] => [
    ...["q", "k", "v"].map((part) => linear(sub, `${name}.${part}`, inner, d)),
    linear(sub, `${name}.o`, d, inner),
  ];
  const mlp = stack === "encoder" ? 1 : 2;
  return [
    ...attention(0, "SelfAttention"),
    ...(stack === "decoder" ? attention(1, "EncDecAttention") : []),
    ...(gated ? ["wi_0", "wi_1"] : ["wi"]).map((part) => linear(mlp, `DenseReluDense.${part}`, ff, d)),
    // transformers never quantizes wo and computes it in f32: in 16 bits it overflows
    linear(mlp, "DenseReluDense.wo", d, ff, true),
  ];
}
