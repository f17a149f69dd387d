// The tensors of a model as a GGUF file has them: renamed, reordered, in the type asked for. Each is made when its turn comes, in pieces where it may be.
// Source: llama.cpp v0.5.0, conversion/base.py (`prepare_tensors`) for what stays in f32.
import { FormatError } from "@qlora-js/core";
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { decoderParts } from "../../config/decoder-parts.ts";
import type { ModelPart } from "../../config/model-part.ts";
import { TENSOR_TYPES } from "../gguf/gguf-types.ts";
import type { GgufArchitecture, TensorNames } from "../gguf/tensor-names.ts";
import type { ModelFiles } from "../model-files.ts";
import type { StoredTensor } from "../safetensors.ts";
import { rowsAndColumns, storedRows, storedValues } from "../stored-rows.ts";
import { encodeTensor, type WrittenType } from "./encode-tensor.ts";
import type { GgufTensor } from "./gguf-layout.ts";
import { ggufNames } from "./gguf-names.ts";
import { ropeFactors } from "./rope-factors.ts";
import { reordered, rowOrder } from "./row-order.ts";

/** A tensor on its way: where it comes from, what becomes of it. */
interface Moved {
  readonly name: string;
  readonly stored: StoredTensor;
  readonly names: TensorNames;
  readonly type: WrittenType;
}

/** @throws FormatError if the files lack a tensor */
export function ggufTensors(architecture: GgufArchitecture, config: DecoderConfig, files: ModelFiles, type: WrittenType): GgufTensor[] {
  const tensors = decoderParts(config).flatMap((part) =>
    tensorNames(part).map((name) => made(config, moved(architecture, config, files, name, part.kind, type))),
  );
  const factors = [...(config.ropes[0] ? ropeFactors(config.ropes[0]) : [])];
  const extra = factors.map(([name, values]): GgufTensor => {
    return { name, type: "F32", shape: [values.length], pieces: () => [encodeTensor(name, "F32", values)] };
  });
  return [...extra, ...tensors, ...ownHead(architecture, config, tensors)];
}

const tensorNames = (part: ModelPart): string[] =>
  part.kind !== "linear" ? [part.name] : part.bias ? [`${part.name}.weight`, `${part.name}.bias`] : [`${part.name}.weight`];

function moved(
  architecture: GgufArchitecture,
  config: DecoderConfig,
  files: ModelFiles,
  name: string,
  kind: ModelPart["kind"],
  wanted: WrittenType,
): Moved {
  const stored = files.tensors.get(name);
  if (!stored) throw new FormatError(files.folder, `lacks the tensor "${name}".`);
  const ending = name.slice(name.lastIndexOf("."));
  const names = ggufNames(architecture, config, name.slice(0, -ending.length));
  if (!names) throw new FormatError(files.folder, `has the tensor "${name}", which llama.cpp's ${architecture} does not have.`);
  return { name: names.gguf + ending, stored, names, type: typeOf(names, stored, kind, wanted) };
}

/** Vectors and positions stay in f32. Tables lose most by four bits, and the smallest models are mostly tables: they get eight. */
function typeOf({ gguf, change }: TensorNames, stored: StoredTensor, kind: ModelPart["kind"], wanted: WrittenType): WrittenType {
  if (stored.shape.length < 2 || gguf === "position_embd") return "F32";
  const type = wanted === "Q4_0" && kind !== "linear" ? "Q8_0" : wanted;
  const columns = change === "transpose" ? stored.shape[0]! : stored.shape[1]!;
  return columns % TENSOR_TYPES[type].blockSize === 0 ? type : "F16";
}

function made(config: DecoderConfig, { name, stored, names: { change }, type }: Moved): GgufTensor {
  const [rows, columns] = rowsAndColumns(stored);
  if (change === "transpose" && stored.shape.length === 2)
    return {
      name,
      type,
      shape: [columns, rows],
      async *pieces() {
        yield encodeTensor(name, type, transposed(await storedValues(name, stored), rows, columns));
      },
    };
  const order = rowOrder(change, config, rows);
  const changed = (values: Float32Array<ArrayBuffer>): Float32Array => {
    if (change === "plus-one") return values.map((x) => x + 1);
    return reordered(values, columns, order);
  };
  return {
    name,
    type,
    shape: stored.shape,
    async *pieces() {
      // rows in another order are needed all at once
      for await (const values of storedRows(name, stored, order ? rows : undefined)) yield encodeTensor(name, type, changed(values));
    },
  };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  return out;
}

/** Architectures that llama.cpp does not know with a tied head get the embeddings once more. */
function ownHead(architecture: GgufArchitecture, { tieWordEmbeddings }: DecoderConfig, tensors: readonly GgufTensor[]): GgufTensor[] {
  if (!tieWordEmbeddings || (architecture !== "gptneox" && architecture !== "olmo2")) return [];
  return tensors.filter(({ name }) => name === "token_embd.weight").map((table) => ({ ...table, name: "output.weight" }));
}
