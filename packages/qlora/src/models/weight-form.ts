// What each weight of a model is on the device, by what its files have it in: the one place that decides. The loader asks it for every layer, and so does the
// plan, which has no weights.
import type { DType, QFormat } from "@qlora-js/core";
import type { ModelConfig } from "../config/model-config.ts";
import type { LinearModule } from "../config/model-part.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { coreDType } from "../formats/safetensors-dtype.ts";

/** What weights of a file may be stored in. */
export type WeightDType = Extract<DType, "f32" | "bf16" | "f16">;

/** What a file has of a weight: its numbers' type, and the format of its 4 bits where it is packed. */
export interface StoredWeight {
  readonly dtype: WeightDType;
  readonly packed?: QFormat;
}

/** By tensor names. */
export type StoredWeights = ReadonlyMap<string, StoredWeight>;

/** A linear layer's weight on the device: the file's 4 bits as they are, 4 bits made of the file's numbers, or numbers. */
export type WeightForm =
  | { readonly kind: "packed" | "quantized"; readonly format: QFormat }
  | { readonly kind: "dense"; readonly dtype: WeightDType };

/** What files have of every weight that is a float; of the tensors no more than their types is looked at. */
export const storedWeights = (tensors: ReadonlyMap<string, Pick<StoredTensor, "dtype" | "packed">>): StoredWeights =>
  new Map(
    [...tensors].flatMap(([name, { dtype, packed }]) => {
      const own = coreDType(dtype);
      if (own !== "f32" && own !== "bf16" && own !== "f16") return [];
      return [[name, packed ? { dtype: own, packed: packed.format } : { dtype: own }] as const];
    }),
  );

/** What the embeddings are in, which they keep. */
export const embeddingDType = ({ names }: Pick<ModelConfig, "names">, stored: StoredWeights): WeightDType | undefined =>
  stored.get(`${names.embedding}.weight`)?.dtype;

/** The same files if their 4-bit weights were in 16. */
export const unpackedWeights = (stored: StoredWeights): StoredWeights => new Map([...stored].map(([name, { dtype }]) => [name, { dtype }]));

/**
 * How linear layers are held.
 * @param format asked for; null keeps the numbers of the file. In files with 4-bit weights the others are those that their maker left out: they stay.
 * @param dtype of weights that `stored` does not have
 */
export function weightForms(
  stored: StoredWeights,
  format: QFormat | null,
  dtype: WeightDType,
): (module: Pick<LinearModule, "name" | "keep">) => WeightForm {
  const asked = [...stored.values()].some(({ packed }) => packed) ? null : format;
  return ({ name, keep }) => {
    const weight = stored.get(`${name}.weight`) ?? { dtype };
    if (weight.packed) return { kind: "packed", format: weight.packed };
    if (keep) return { kind: "dense", dtype: "f32" };
    return asked ? { kind: "quantized", format: asked } : { kind: "dense", dtype: weight.dtype };
  };
}
