// The JSON that bitsandbytes writes beside a 4-bit weight, byte for byte as Python's json.dumps has it.
import { pythonFloat } from "./python-float.ts";
import { type QuantState, STATE_DTYPES } from "./quant-state.ts";

/** The content of the tensor `weight.quant_state.bitsandbytes__<type>`. */
export function quantStateBytes({ type, blockSize, dtype, shape, offset }: QuantState): Uint8Array<ArrayBuffer> {
  const name = Object.entries(STATE_DTYPES).find(([, own]) => own === dtype)![0];
  const nested = offset === null ? "" : `, "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": ${pythonFloat(offset)}`;
  const text = `{"quant_type": "${type}", "blocksize": ${blockSize}, "dtype": "${name}", "shape": [${shape[0]}, ${shape[1]}]${nested}}`;
  return new TextEncoder().encode(text);
}
