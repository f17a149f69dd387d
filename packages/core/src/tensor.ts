// A tensor is a shape over storage, and perhaps the node that made it. No op is a method: ops are functions, so that a program carries only those it uses.
import type { Backend, View } from "./backend.ts";
import { BYTES, type DType, type HostArrays } from "./dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "./error.ts";
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from "./half.ts";
import type { Origin } from "./node.ts";
import { sessionOf } from "./session.ts";
import { checkShape, type Shape, show, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";

/** Numbers on a device: a shape over storage, and perhaps the node that made it. Ops are functions, not methods. */
export class Tensor {
  #disposed = false;

  /** Takes over one ownership of the storage. The open scope of its backend, if there is one, disposes it at its end. */
  constructor(
    readonly storage: Storage,
    readonly shape: Shape,
    readonly dtype: DType,
    /** Where gradients go from here; null for a tensor that none is asked for. */
    readonly origin: Origin | null = null,
  ) {
    sessionOf(storage.backend).scope?.made.add(this);
  }

  /** Where its bytes are. */
  get backend(): Backend {
    return this.storage.backend;
  }

  /** It as a kernel sees it. */
  views(): View[] {
    return [{ buffer: this.storage.buffer, dtype: this.dtype, shape: this.shape }];
  }

  /** Another handle on the same values, to be disposed on its own. */
  retain(): Tensor {
    return new Tensor(this.storage.retain(), this.shape, this.dtype, this.origin);
  }

  /** The same values without their history: no gradient flows through the result. */
  detach(): Tensor {
    return new Tensor(this.storage.retain(), this.shape, this.dtype);
  }

  /** The raw little-endian bytes, row-major. */
  readBytes(): Promise<Uint8Array> {
    return this.backend.read(this.storage.buffer, 0, sizeOf(this.shape) * BYTES[this.dtype]);
  }

  /** The values as f32, row-major; f16 and bf16 widen exactly. @throws DTypeError for i32 and u8, which readInts() gives */
  async read(): Promise<Float32Array> {
    const { dtype } = this;
    if (dtype === "i32" || dtype === "u8") throw new DTypeError("read", [dtype], `the tensor holds ${dtype}, not floats. Use readInts().`);
    const bytes = await this.readBytes();
    if (dtype === "f32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const widen = dtype === "bf16" ? bf16ToNumber : f16ToNumber;
    return Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2), widen);
  }

  /** @throws DTypeError unless the tensor is i32 or u8 */
  async readInts(): Promise<Int32Array | Uint8Array> {
    const { dtype } = this;
    if (dtype !== "i32" && dtype !== "u8")
      throw new DTypeError("readInts", [dtype], `the tensor holds ${dtype}, not whole numbers. Use read().`);
    const bytes = await this.readBytes();
    return dtype === "u8" ? bytes : new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }

  /** The same values on another backend, by way of the host; this one stays. No gradient flows through the result. */
  async to(backend: Backend): Promise<Tensor> {
    return fromBytes(backend, await this.readBytes(), this.shape, this.dtype);
  }

  /** The one value of a tensor with one element. @throws ShapeError if it has more or none */
  async item(): Promise<number> {
    if (sizeOf(this.shape) !== 1)
      throw new ShapeError("item", [this.shape], `${show(this.shape)} has ${sizeOf(this.shape)} elements, not one. Use read().`);
    return (this.dtype === "i32" || this.dtype === "u8" ? await this.readInts() : await this.read())[0]!;
  }

  /** Lets go of this handle; the bytes are freed with the last one. Twice does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    sessionOf(this.backend).scope?.made.delete(this);
    this.storage.release();
  }

  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * A tensor with the given values, row-major; numbers are rounded to the dtype.
 * @throws ShapeError if their number is not that of the shape
 */
export function tensor(backend: Backend, values: ArrayLike<number>, shape: Shape = [values.length], dtype: DType = "f32"): Tensor {
  checkShape("tensor", shape);
  if (values.length !== sizeOf(shape))
    throw new ShapeError("tensor", [shape], `${values.length} values do not fill ${show(shape)}, which has ${sizeOf(shape)} elements.`);
  const array = toHostArray(values, dtype);
  return fromBytes(backend, new Uint8Array(array.buffer, array.byteOffset, array.byteLength), shape, dtype);
}

/** A tensor over bytes that are already in the dtype's little-endian form. @throws ShapeError if their number is not that of the shape */
export function fromBytes(backend: Backend, bytes: Uint8Array, shape: Shape, dtype: DType): Tensor {
  const expected = sizeOf(checkShape("fromBytes", shape)) * BYTES[dtype];
  if (bytes.byteLength !== expected)
    throw new ShapeError("fromBytes", [shape], `${bytes.byteLength} bytes are not ${show(shape)} of ${dtype}, which takes ${expected}.`);
  const made = empty(backend, shape, dtype);
  backend.write(made.storage.buffer, bytes);
  return made;
}

/** A tensor of unspecified values, to be filled by the caller. */
export function empty(backend: Backend, shape: Shape, dtype: DType = "f32"): Tensor {
  return new Tensor(new Storage(backend, sizeOf(checkShape("empty", shape)) * BYTES[dtype]), shape, dtype);
}

/** A tensor of zeros (all-zero bytes are zero in every dtype). */
export function zeros(backend: Backend, shape: Shape, dtype: DType = "f32"): Tensor {
  const made = empty(backend, shape, dtype); // first: what is too large, the device says in words
  backend.write(made.storage.buffer, new Uint8Array(sizeOf(shape) * BYTES[dtype]));
  return made;
}

/** A handle on the same values that gradients are asked for. @throws DTypeError unless f32, which is what updates are computed in */
export function parameter(x: Tensor): Tensor {
  if (x.dtype !== "f32") throw new DTypeError("parameter", [x.dtype], `parameters are f32, not ${x.dtype}. Cast first.`);
  return new Tensor(x.storage.retain(), x.shape, x.dtype, { node: null, index: 0 });
}

function toHostArray<D extends DType>(values: ArrayLike<number>, dtype: D): HostArrays[D];
function toHostArray(values: ArrayLike<number>, dtype: DType): HostArrays[DType] {
  switch (dtype) {
    case "f32":
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case "bf16":
      return Uint16Array.from(values, numberToBf16);
    case "f16":
      return Uint16Array.from(values, numberToF16);
    case "i32":
      return Int32Array.from(values, (v) => whole(v, -(2 ** 31), 2 ** 31 - 1, dtype));
    case "u8":
      return Uint8Array.from(values, (v) => whole(v, 0, 255, dtype));
  }
}

function whole(value: number, low: number, high: number, dtype: DType): number {
  if (!Number.isInteger(value) || value < low || value > high)
    throw new ArgumentError("tensor", "values", value, `${value} is not a value of ${dtype} (whole numbers from ${low} to ${high}).`);
  return value;
}
