// The tensors that a packed weight is stored as: what packed-weights.ts put together, apart again.
import type { StoredTensor } from "../safetensors.ts";
import { computedTensor } from "./computed-tensor.ts";
import type { PackedWeight } from "./packed-weight.ts";
import type { QuantState } from "./quant-state.ts";
import { quantStateBytes } from "./quant-state-bytes.ts";

/** By what their names have more than the weight's. */
export function packedParts({ format, shape, dtype, codes, absmax, nested }: PackedWeight): [ending: string, part: StoredTensor][] {
  const type = format.name as QuantState["type"];
  const state = quantStateBytes({ type, blockSize: format.blockSize, dtype, shape, offset: nested?.offset ?? null });
  const { buffer } = format.codeBook;
  const parts: [string, StoredTensor][] = [
    ["", codes],
    [".absmax", absmax],
    [".quant_map", computedTensor(codes.file, "F32", [format.codeBook.length], async () => new Uint8Array(buffer))],
    [`.quant_state.bitsandbytes__${type}`, computedTensor(codes.file, "U8", [state.length], async () => state)],
  ];
  return nested ? [...parts, [".nested_absmax", nested.absmax], [".nested_quant_map", nested.levels]] : parts;
}
