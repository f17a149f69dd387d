// For unit tests of kernels: the software GPU, bits to it and from it. Where there is none, why not, for the title of what is skipped.
import { type Backend, type DType, fromBytes, type Shape, type Tensor, UnsupportedError } from "@qlora-js/core";
import { createWebGpuBackend, type WebGpuBackendOptions } from "../create-webgpu-backend.ts";

export interface SoftwareGpu {
  /** Not there where `absent` says why. */
  readonly backend: Backend;
  /** Empty, or the end of a title. */
  readonly absent: string;
}

export async function openSoftwareGpu(options: WebGpuBackendOptions = {}): Promise<SoftwareGpu> {
  try {
    return { backend: await createWebGpuBackend({ software: true, ...options }), absent: "" };
  } catch (error) {
    if (error instanceof UnsupportedError) return { backend: undefined as unknown as Backend, absent: `: skipped, ${error.message}` };
    throw error;
  }
}

/** A tensor of the bits of an array. */
export const ofBits = (
  backend: Backend,
  values: Float32Array | Int32Array | Uint16Array | Uint8Array,
  shape: Shape,
  dtype: DType,
): Tensor => fromBytes(backend, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), shape, dtype);

/** A tensor's bytes; the tensor is disposed. */
export async function bytesOf(t: Tensor): Promise<ArrayBuffer> {
  const bytes = await t.backend.read(t.views()[0]!.buffer);
  t.dispose();
  return bytes.slice().buffer;
}

/** Numbers of 32 bits without a pattern. */
export function scattered(seed: number): (i: number) => number {
  return (i) => {
    let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return (x ^ (x >>> 15)) >>> 0;
  };
}

/** f32 of either sign and of magnitudes from 2^low to 2^high, all equally likely to the power of two. */
export function floatsOfSize(n: number, seed: number, low: number, high: number): Float32Array {
  const [digits, size] = [scattered(seed), scattered(seed + 1)];
  const bits = Uint32Array.from({ length: n }, (_, i) => (digits(i) & 0x807fffff) | ((127 + low + (size(i) % (high - low))) << 23));
  return new Float32Array(bits.buffer);
}
