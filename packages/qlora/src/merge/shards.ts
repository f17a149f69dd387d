// How a model's tensors are shared out over files, as huggingface_hub does it for transformers (`split_torch_state_dict_into_shards`): in order, each
// file as full as its limit allows, a tensor above the limit in a file of its own.
import type { StoredTensor } from "../formats/safetensors.ts";

export interface Shard {
  readonly file: string;
  readonly names: readonly string[];
}

export const SINGLE_FILE = "model.safetensors";

/** @param maxBytes of the tensors in one file */
export function shardsOf(tensors: ReadonlyMap<string, Pick<StoredTensor, "byteLength">>, maxBytes: number): Shard[] {
  const groups: string[][] = [];
  let current: string[] = [];
  let bytes = 0;
  for (const [name, { byteLength }] of tensors) {
    if (byteLength > maxBytes) {
      groups.push([name]);
      continue;
    }
    if (bytes + byteLength > maxBytes) {
      groups.push(current);
      [current, bytes] = [[], 0];
    }
    current.push(name);
    bytes += byteLength;
  }
  if (current.length > 0) groups.push(current);
  if (groups.length === 1) return [{ file: SINGLE_FILE, names: groups[0]! }];
  const five = (n: number): string => String(n).padStart(5, "0");
  return groups.map((names, i) => ({ file: `model-${five(i + 1)}-of-${five(groups.length)}.safetensors`, names }));
}
