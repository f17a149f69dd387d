// What GGUF calls the parts of a model, by the part's place in it: the same table for every spelling of a checkpoint's names.
import type { DecoderConfig } from "../../config/decoder-config.ts";
import type { GgufArchitecture } from "../gguf/tensor-names.ts";
import { TENSOR_NAMES, type TensorNames } from "../gguf/tensor-names.ts";

/**
 * The row of the table for a module of the model.
 * @param module the tensor's name without its ending
 */
export function ggufNames(architecture: GgufArchitecture, { names }: DecoderConfig, module: string): TensorNames | undefined {
  const rows: readonly TensorNames[] = TENSOR_NAMES[architecture];
  const outer = {
    [names.embedding]: "token_embd",
    [names.positions]: "position_embd",
    [names.finalNorm]: "output_norm",
    [names.head]: "output",
  };
  const known = outer[module];
  if (known !== undefined) return rows.find(({ gguf }) => gguf === known);
  if (!module.startsWith(`${names.layers}.`)) return undefined;
  const [layer = "", ...inLayer] = module.slice(names.layers.length + 1).split(".");
  const row = rows.find(({ huggingFace }) => huggingFace.endsWith(`.{n}.${inLayer.join(".")}`));
  return row && { ...row, gguf: row.gguf.replace("{n}", layer) };
}
