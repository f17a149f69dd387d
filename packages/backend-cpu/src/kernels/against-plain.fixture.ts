// Runs one kernel on the plain backend and on WebAssembly with 1, 2 and 3 threads: values close to the plain ones, bits the same for any number of threads.
import { type Backend, BYTES, type DType, type Shape, sizeOf, type View } from "@qlora-js/core";
import { afterAll, beforeAll, expect } from "vitest";
import { type CpuBackend, createCpuBackend } from "../backend.ts";
import { createPlainBackend } from "../plain/plain-backend.ts";

export interface Values {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: ArrayLike<number>;
}
export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
}

const ARRAYS = { f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, i32: Int32Array, u8: Uint8Array };

export const floats = (shape: Shape, value: (i: number) => number): Values => ({
  shape,
  dtype: "f32",
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
});
export const ints = (shape: Shape, value: (i: number) => number): Values => ({
  shape,
  dtype: "i32",
  data: Int32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
});

/** A number in (−1, 1) for each i, without a pattern that a kernel could hide behind. */
export function noise(seed: number): (i: number) => number {
  return (i) => {
    let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 31 - 1;
  };
}

export interface Call {
  readonly op: string;
  readonly inputs: readonly Values[];
  /** What the op makes; the first inputs for an update. */
  readonly outputs: readonly Omit<Values, "data">[] | "in place";
  readonly targets?: number;
  readonly attrs?: object;
}

/** Bytes of each output. */
async function run(backend: Backend, { op, inputs, outputs, targets = 1, attrs = {} }: Call): Promise<Uint8Array[]> {
  const view = ({ shape, dtype }: Omit<Values, "data">): View => ({ buffer: backend.alloc(sizeOf(shape) * BYTES[dtype]), shape, dtype });
  const given = inputs.map((values) => {
    const made = view(values);
    backend.write(made.buffer, new Uint8Array(ARRAYS[values.dtype].from(values.data).buffer));
    return made;
  });
  const made = outputs === "in place" ? given.slice(0, targets) : outputs.map(view);
  if (outputs !== "in place")
    // NaN everywhere, so that an element left out is found out
    for (const { buffer } of made) backend.write(buffer, new Uint8Array(buffer.byteLength).fill(0xff));
  backend.run(op, given, made, attrs);
  const bytes = await Promise.all(made.map(({ buffer }) => backend.read(buffer)));
  for (const { buffer } of new Set([...given, ...made])) backend.free(buffer);
  return bytes;
}

/** Bytes of a tensor as its elements. */
const valuesIn = (bytes: Uint8Array, dtype: DType): ArrayLike<number> => new ARRAYS[dtype](new Uint8Array(bytes).buffer);

/** What the plain backend makes of it. */
export async function valuesOf(call: Call & { readonly outputs: readonly Omit<Values, "data">[] }): Promise<Values[]> {
  const plain = createPlainBackend();
  const bytes = await run(plain, call);
  plain.dispose();
  return call.outputs.map(({ shape, dtype }, i) => ({ shape, dtype, data: valuesIn(bytes[i]!, dtype) }));
}

/** For a test file: makes the backends before its tests, and gives the comparison. */
export function againstPlain(): (call: Call, tolerance?: Tolerance) => Promise<void> {
  const plain = createPlainBackend();
  let backends: CpuBackend[] = [];
  beforeAll(async () => {
    backends = await Promise.all([1, 2, 3].map((threads) => createCpuBackend({ threads })));
  });
  afterAll(() => {
    for (const backend of [plain, ...backends]) backend.dispose();
  });
  return async (call, tolerance = {}) => {
    const [one, ...more] = await Promise.all(backends.map((backend) => run(backend, call)));
    for (const [i, bytes] of more.entries())
      expect(
        bytes.map((b, k) => Buffer.compare(b, one![k]!)),
        `${call.op} with ${i + 2} threads`,
      ).toEqual(bytes.map(() => 0));
    expect(backends.map((backend) => backend.memory().liveBuffers)).toEqual([0, 0, 0]);
    const expected = await run(plain, call);
    const specs = call.outputs === "in place" ? call.inputs.slice(0, call.targets ?? 1) : call.outputs;
    specs.forEach(({ dtype }, k) => {
      expectClose(`${call.op}, output ${k}`, valuesIn(one![k]!, dtype), valuesIn(expected[k]!, dtype), tolerance);
    });
  };
}

function expectClose(what: string, got: ArrayLike<number>, want: ArrayLike<number>, { absolute = 0, relative = 0 }: Tolerance): void {
  expect(got.length, what).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    const [g, w] = [got[i]!, want[i]!];
    if (Object.is(g, w) || Math.abs(g - w) <= absolute + relative * Math.abs(w)) continue;
    expect.fail(`${what}: element ${i} is ${g}, not ${w}`);
  }
}
