import { type DType, matmul, namedFormat, type QFormat, scope, sizeOf, tensor, type View } from "@qlora-js/core";
import { afterAll, describe, expect, it } from "vitest";
import type { AdapterFacts } from "../adapter-facts.ts";
import type { Dispatch, Gpu } from "../dispatch.ts";
import { programKey, programSource } from "../program-source.ts";
import { type Gemm, gemm } from "./gemm.ts";
import { floats, quantized } from "./gemm-right.ts";
import { bytesOf, floatsOfSize, openSoftwareGpu } from "./software-gpu.fixture.ts";

const FACTS: AdapterFacts = {
  description: "a GPU that is not there",
  software: false,
  subgroups: true,
  shaderF16: true,
  maxBindingBytes: 2 ** 18,
  maxBufferBytes: 2 ** 30,
  maxWorkgroups: 65535,
  maxInvocations: 256,
  maxStorageBuffers: 8,
  workgroupBytes: 16384,
};

const view = (dtype: DType, shape: readonly number[], bytes = 4): View => ({ dtype, shape, buffer: { byteLength: sizeOf(shape) * bytes } });

/** Notes what it is asked for. */
function listener(facts: AdapterFacts): { readonly gpu: Gpu; readonly programs: Map<string, string> } {
  const programs = new Map<string, string>();
  const gpu: Gpu = {
    facts,
    dispatch: (asked: Dispatch) => programs.set(programKey(asked, facts.maxBindingBytes), programSource(asked, facts.maxBindingBytes)),
    copy: () => {},
    temporary: (dtype, shape) => view(dtype, shape),
  };
  return { gpu, programs };
}

const weights = (k: number, n: number, { doubleQuant, blockSize }: QFormat): View[] => {
  const codes = view("u8", [(k * n) / 2], 1);
  const blocks = Math.ceil((k * n) / blockSize);
  return doubleQuant
    ? [codes, view("u8", [blocks], 1), view("f32", [Math.ceil(blocks / 256)]), view("f32", [])]
    : [codes, view("f32", [blocks])];
};

/** Every kind of product: few rows and many, whole eights and not, each storage, orientation and addend. */
function everyProduct(gpu: Gpu, [m, k, n]: readonly [number, number, number]): void {
  const rights = [
    ...(["f32", "f16", "bf16"] as const).map((dtype) => floats(view(dtype, [k, n], dtype === "f32" ? 4 : 2))),
    ...(["nf4", "fp4", "int4", "e3m0"] as const).map((name) => {
      const format = namedFormat(name, { doubleQuant: name === "nf4" });
      return quantized(gpu, weights(k, n, format), format);
    }),
  ];
  for (const b of rights)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        for (const c of [undefined, view("f32", [n]), view("f32", [m, n])]) {
          const problem: Gemm = {
            name: "matmul",
            batch: 1,
            m,
            k,
            n,
            a: view("f32", [m, k]),
            b,
            y: view("f32", [m, n]),
            c,
            transposeA,
            transposeB,
          };
          gemm(gpu, problem);
        }
}

const { create } = await import("webgpu");
const nowhere = create(["backend=null"]); // held: Dawn ends with it
const device = await (async () => {
  const adapter = await nowhere.requestAdapter();
  const requiredFeatures = (["subgroups", "shader-f16"] as const).filter((feature) => adapter?.features.has(feature));
  return { requiredFeatures, device: await adapter?.requestDevice({ requiredFeatures }) };
})();

describe("the programs of a product", () => {
  it("the device without a GPU knows 16-bit floats, so that they are compiled", () =>
    expect(device.requiredFeatures).toContain("shader-f16"));

  for (const [title, facts] of [
    ["in tiles, with 16-bit floats", FACTS],
    ["in registers", { ...FACTS, software: true }],
    ["in registers, without subgroups", { ...FACTS, software: true, subgroups: false }],
  ] as const)
    it(`compile, ${title}, and for weights larger than a binding`, async () => {
      const { gpu, programs } = listener(facts);
      const sizes = [
        [1, 64, 40],
        [5, 64, 40],
        [64, 72, 80],
        [64, 33, 71],
        [512, 64, 1024],
        [64, 1024, 1024],
      ] as const;
      for (const size of sizes) everyProduct(gpu, size);
      expect(programs.size).toBeGreaterThan(50);
      for (const [key, code] of programs) {
        const { messages } = await device.device!.createShaderModule({ code }).getCompilationInfo();
        expect(messages.map(({ message, lineNum }) => `${key}, line ${lineNum}: ${message}`)).toEqual([]);
      }
    });
});

const { backend, absent } = await openSoftwareGpu({ likeHardware: true });
afterAll(() => backend?.dispose());

describe.skipIf(absent)(`products in tiles${absent}`, () => {
  for (const [m, k, n] of [
    [64, 64, 64],
    [70, 33, 45],
    [40, 24, 20],
  ] as const)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        it(`of ${m} × ${k} × ${n}${transposeA ? ", a transposed" : ""}${transposeB ? ", b transposed" : ""} are those of a sum in f64`, async () => {
          const [a, b] = [floatsOfSize(m * k, 1, -4, 1), floatsOfSize(k * n, 2, -4, 1)];
          const y = scope(backend, () => {
            const left = tensor(backend, a, transposeA ? [k, m] : [m, k]);
            const right = tensor(backend, b, transposeB ? [n, k] : [k, n]);
            return matmul(left, right, { transposeA, transposeB });
          });
          const ours = new Float32Array(await bytesOf(y));
          for (const [at, value] of ours.subarray(0, m * n).entries()) {
            const [i, j] = [Math.floor(at / n), at % n];
            let sum = 0;
            for (let p = 0; p < k; p++) sum += a[transposeA ? p * m + i : i * k + p]! * b[transposeB ? j * k + p : p * n + j]!;
            expect(Math.abs(value - sum)).toBeLessThan(2e-5);
          }
        });
});
