// The tensors of a GGUF file under Hugging Face's names, as the numbers Hugging Face has. What has no place in the architecture is refused, never passed over.
import { FormatError } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import type { StoredTensor } from "../safetensors.ts";
import { checkTensorRange } from "../tensor-range.ts";
import type { GgufFile, GgufTensor } from "./gguf-file.ts";
import { ROPE_TENSORS } from "./rope-settings.ts";
import { ELEMENT_BYTES, type TensorElements, tensorElements } from "./tensor-elements.ts";
import { type GgufArchitecture, T5_WITHOUT_GATE, TENSOR_NAMES, type TensorChange, type TensorNames } from "./tensor-names.ts";
import { type HeadCounts, undoChange } from "./undo-change.ts";

export interface ModelTensorOptions {
  readonly heads: HeadCounts;
  /** What quantized tensors become. */
  readonly quantizedAs: "F32" | "BF16";
  /** Whether the head is the embedding, so that a copy of it is left out. */
  readonly tied: boolean;
}

/** There only where T5's MLPs have gates. */
export const T5_GATE = "enc.blk.0.ffn_gate.weight";

/** Tables for rotary positions: read elsewhere, or, in old files, computed here anyway. */
const ROTARY = new RegExp(`^(${Object.values(ROPE_TENSORS).join("|").replaceAll(".", "\\.")}|blk\\.\\d+\\.attn_rot_embd\\.weight)$`);

/**
 * @throws FormatError for a tensor that the architecture does not have
 * @throws UnsupportedError for a type of tensor that is not read
 */
export function huggingFaceTensors(
  gguf: GgufFile,
  architecture: GgufArchitecture,
  { heads, quantizedAs, tied }: ModelTensorOptions,
): ReadonlyMap<string, StoredTensor> {
  const rows: readonly TensorNames[] = architecture === "t5" && !gguf.tensors.has(T5_GATE) ? T5_WITHOUT_GATE : TENSOR_NAMES[architecture];
  const names = new Map<string, TensorNames>(rows.map((row) => [row.gguf, row]));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of gguf.tensors) {
    if (ROTARY.test(name) || (tied && name === "output.weight")) continue;
    const found = translated(name, names);
    if (!found)
      throw new FormatError(gguf.file, `holds the tensor ${quoted(name)}, for which the architecture ${architecture} has no place.`);
    tensors.set(found.name, stored(name, tensor, found.change, heads, quantizedAs));
  }
  return tensors;
}

function translated(name: string, names: ReadonlyMap<string, TensorNames>): { name: string; change: TensorChange | undefined } | undefined {
  const [, side, layer, inner, kind] = /^(enc\.|dec\.)?(?:blk\.(0|[1-9]\d{0,5})\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const row = names.get(`${side ?? ""}${layer === undefined ? "" : "blk.{n}."}${inner ?? ""}`);
  return row && { name: `${row.huggingFace.replace("{n}", layer ?? "")}.${kind}`, change: row.change };
}

function stored(
  name: string,
  tensor: GgufTensor,
  change: TensorChange | undefined,
  heads: HeadCounts,
  quantizedAs: "F32" | "BF16",
): StoredTensor {
  const plain = tensorElements(name, tensor, quantizedAs);
  return asStored(tensor.file, change ? undoChange(`${tensor.file}: tensor ${quoted(name)}`, plain, change, heads) : plain);
}

function asStored(file: string, { dtype, shape, read }: TensorElements): StoredTensor {
  const width = ELEMENT_BYTES[dtype];
  const byteLength = shape.reduce((a, b) => a * b, width);
  return {
    file,
    dtype,
    shape,
    byteLength,
    async read(offset = 0, length = byteLength - offset) {
      checkTensorRange(byteLength, offset, length);
      const first = Math.floor(offset / width);
      const bytes = await read(first, Math.ceil((offset + length) / width) - first);
      return bytes.length === length ? bytes : bytes.slice(offset - first * width, offset - first * width + length);
    },
  };
}
