// Tensors on the host in float64, for references: built by a formula over indices, read with broadcasting. Slow, and plain to read.
import {
  type Backend,
  bf16ToNumber,
  broadcastShapes,
  type DType,
  f16ToNumber,
  numberToBf16,
  numberToF16,
  type Shape,
  sizeOf,
  stridesOf,
  type Tensor,
  tensor,
} from "@qlora-js/core";

export interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Row-major. Inputs hold what their dtype can hold; references are not rounded. */
  readonly data: readonly number[];
}

const ROUND: Record<DType, (x: number) => number> = {
  f32: Math.fround,
  bf16: (x) => bf16ToNumber(numberToBf16(x)),
  f16: (x) => f16ToNumber(numberToF16(x)),
  i32: (x) => x,
  u8: (x) => x,
};

/** An input: its numbers rounded to what the dtype holds. */
export const input = (data: Iterable<number>, shape?: Shape, dtype: DType = "f32"): Value => {
  const rounded = Array.from(data, ROUND[dtype]);
  return { shape: shape ?? [rounded.length], dtype, data: rounded };
};

/** f of every index of the shape, not rounded. */
export function fill(shape: Shape, f: (...index: number[]) => number, dtype: DType = "f32"): Value {
  const strides = stridesOf(shape);
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => f(...shape.map((size, d) => Math.floor(i / strides[d]!) % size)));
  return { shape, dtype, data };
}

/** The element at an index, which may be of a shape that the value broadcasts to. */
export function at({ shape, data }: Value, ...index: readonly number[]): number {
  const lead = index.length - shape.length;
  let position = 0;
  for (const [d, size] of shape.entries()) position = position * size + (size === 1 ? 0 : index[lead + d]!);
  const found = data[position];
  if (found === undefined) throw new RangeError(`there is no element ${index} in ${shape}`);
  return found;
}

/** Σ f(i) for i from 0 to n − 1. */
export function total(n: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += f(i);
  return sum;
}

/** f of each number. */
export const map = ({ shape, dtype, data }: Value, f: (x: number) => number): Value => ({ shape, dtype, data: data.map(f) });

/** f of the elements that broadcasting brings together. */
export const zip = (a: Value, b: Value, f: (x: number, y: number) => number): Value =>
  fill(broadcastShapes("zip", a.shape, b.shape), (...i) => f(at(a, ...i), at(b, ...i)));

export const upload = (backend: Backend, { data, shape, dtype }: Value): Tensor => tensor(backend, data, shape, dtype);

export async function download(t: Tensor): Promise<Value> {
  const numbers = t.dtype === "i32" || t.dtype === "u8" ? await t.readInts() : await t.read();
  return { shape: t.shape, dtype: t.dtype, data: Array.from(numbers) };
}
