// What kernels take for themselves while they run, for a forecast: the kernels themselves, on a GPU that only counts what they ask for.
import { BYTES, type View } from "@qlora-js/core";
import type { AdapterFacts } from "./adapter-facts.ts";
import type { Gpu } from "./dispatch.ts";
import { kernelOf } from "./kernels/kernel-of.ts";

/** Bytes that a run of an op takes besides its inputs and outputs, whose buffers need only a length. */
export type Workspace = (op: string, inputs: readonly View[], outputs: readonly View[], attrs: object) => number;

/** The limits that WebGPU promises everywhere. */
const LEAST: Omit<AdapterFacts, "software"> = {
  description: "any GPU",
  subgroups: false,
  shaderF16: false,
  maxBindingBytes: 2 ** 27,
  maxBufferBytes: 2 ** 28,
  maxWorkgroups: 65_535,
  maxInvocations: 256,
  maxStorageBuffers: 8,
  workgroupBytes: 2 ** 14,
};

/** Of a GPU before it is opened; its own facts may change little things. */
export const workspaceOfGpu =
  ({ software }: Pick<AdapterFacts, "software">): Workspace =>
  (op, inputs, outputs, attrs) => {
    let bytes = 0;
    const counting: Gpu = {
      facts: { ...LEAST, software },
      dispatch: () => {},
      copy: () => {},
      temporary: (dtype, shape) => {
        const byteLength = shape.reduce((n, size) => n * size, BYTES[dtype]);
        bytes += byteLength;
        return { buffer: { byteLength }, dtype, shape };
      },
    };
    kernelOf(op)(counting, inputs, outputs, attrs as never);
    return bytes;
  };
