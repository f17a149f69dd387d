// A quantized weight for tests, made by core's reference.
import { doubleQuantize, type QFormat, quantizeBlockwise } from "@qlora-js/core";
import { floats, noise, type Values } from "./against-plain.fixture.ts";

/** The tensors of a quantized weight, as kernels see them. */
export function quantized(shape: readonly [number, number], format: QFormat, seed: number): Values[] {
  const values = floats(shape, noise(seed)).data as Float32Array;
  const blocks = quantizeBlockwise(values, format);
  const codes: Values = { shape: [blocks.codes.length], dtype: "u8", data: blocks.codes };
  if (!format.doubleQuant) return [codes, { shape: [blocks.absmax.length], dtype: "f32", data: blocks.absmax }];
  const { absmaxCodes, absmax2, offset } = doubleQuantize(blocks);
  return [
    codes,
    { shape: [absmaxCodes.length], dtype: "u8", data: absmaxCodes },
    { shape: [absmax2.length], dtype: "f32", data: absmax2 },
    { shape: [], dtype: "f32", data: [offset] },
  ];
}
