// What models of every architecture have, as plain data: enough for data, plan, adapters and generation.
import type { DType } from "@qlora-js/core";
import type { Quantization } from "../formats/bitsandbytes/quantization-config.ts";

export interface BaseConfig {
  /** As config.json names it. */
  readonly modelType: string;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** Layers that are recomputed, or not, one by one; those of an encoder and a decoder together. */
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** The longest text there are positions for; Infinity where positions are relative. */
  readonly maxPositions: number;
  /** Logits z become c·tanh(z/c); null leaves them. */
  readonly logitSoftcap: number | null;
  readonly tieWordEmbeddings: boolean;
  /** Modules by the names of the checkpoint. */
  readonly names: { readonly embedding: string; readonly head: string };
  /** What files call tensors otherwise: the first beginning that fits is replaced; null passes the tensor over. */
  readonly renamed: readonly (readonly [from: string, to: string | null])[];
  readonly bosTokenId: number | undefined;
  /** Every token that ends an answer; empty if the model names none. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | undefined;
  /** What the weights were saved in, if the file says. */
  readonly dtype: DType | undefined;
  /** How the file's linear weights are quantized, if it says that they are. */
  readonly quantization: Quantization | undefined;
}
