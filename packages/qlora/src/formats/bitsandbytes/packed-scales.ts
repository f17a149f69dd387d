// The scales of a 4-bit weight, read and checked: what is small of it.
import { FormatError } from "@qlora-js/core";
import type { StoredTensor } from "../safetensors.ts";
import type { PackedWeight } from "./packed-weight.ts";

export type PackedScales =
  | { readonly kind: "plain"; readonly absmax: Float32Array<ArrayBuffer> }
  | {
      readonly kind: "double";
      readonly codes: Uint8Array<ArrayBuffer>;
      readonly absmax: Float32Array<ArrayBuffer>;
      /** f32. */
      readonly offset: number;
    };

/** @throws FormatError if a scale is not a number */
export async function readPackedScales({ absmax, nested }: PackedWeight): Promise<PackedScales> {
  if (!nested) return { kind: "plain", absmax: await finite(absmax) };
  return { kind: "double", codes: await absmax.read(), absmax: await finite(nested.absmax), offset: nested.offset };
}

async function finite(stored: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array((await stored.read()).buffer);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return values;
  const what = `the scale ${bad} of a 4-bit weight is ${values[bad]}. The weight it was made from held such numbers, or the file is damaged; quantize the 16-bit model again.`;
  throw new FormatError(stored.file, what);
}
