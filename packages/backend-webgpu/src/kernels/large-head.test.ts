// The head of a vocabulary whose matrix takes more windows than a kernel has bindings: loss, gradient and logits, against sums in f64.
import {
  addmm,
  type DType,
  grad,
  linearCrossEntropy,
  matmul,
  numberToBf16,
  numberToF16,
  parameter,
  scope,
  sum,
  type Tensor,
} from "@qlora-js/core";
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, ofBits, openSoftwareGpu } from "./software-gpu.fixture.ts";

const { backend, absent } = await openSoftwareGpu({ maxBindingBytes: 4096 });
const hardware = await openSoftwareGpu({ maxBindingBytes: 10240, likeHardware: true });

const [ROWS, N, VOCABULARY] = [5, 8, 2000];
const MANY = 20; // rows that are worth tiles
// numbers that 16 bits hold exactly
const x = Float32Array.from({ length: MANY * N }, (_, i) => ((i * 37) % 17) / 8 - 1);
const weight = Float32Array.from({ length: VOCABULARY * N }, (_, i) => ((i * 29) % 33) / 16 - 1);
const row = Float32Array.from({ length: VOCABULARY }, (_, v) => (v % 5) / 4);
const targets = Int32Array.from({ length: MANY }, (_, r) => [0, 127, 128, 1234, VOCABULARY - 1][r % 5]!);

const HEADS = [
  ["f32", weight],
  ["bf16", Uint16Array.from(weight, numberToBf16)],
  ["f16", Uint16Array.from(weight, numberToF16)],
] as const;

const logitsOf = (r: number): number[] =>
  Array.from({ length: VOCABULARY }, (_, v) => {
    let s = 0;
    for (let i = 0; i < N; i++) s += x[r * N + i]! * weight[v * N + i]!;
    return s;
  });

const floatsOf = async (t: Tensor, n: number): Promise<Float32Array> => new Float32Array(await bytesOf(t)).subarray(0, n);

function expectClose(ours: Float32Array, wanted: readonly number[]): void {
  expect(ours.length).toBe(wanted.length);
  for (const [i, value] of ours.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5 + 5e-6 * Math.abs(wanted[i]!));
}

describe.skipIf(absent)(`a head that is seen in parts, on webgpu${absent}`, () => {
  afterAll(() => {
    backend.dispose();
    hardware.backend.dispose();
  });

  test.each([
    ...HEADS.map(([dtype, bits]) => ["in registers", dtype, bits, ROWS, backend] as const),
    ...HEADS.slice(-1).map(([dtype, bits]) => ["in tiles", dtype, bits, MANY, hardware.backend] as const),
  ])("linearCrossEntropy %s of a head of %s and its gradient", async (_variant, dtype, bits, rows, backend) => {
    const [loss, dx] = scope(backend, () => {
      const [head, wanted] = [
        ofBits(backend, bits, [VOCABULARY, N], dtype as DType),
        ofBits(backend, targets.subarray(0, rows), [rows], "i32"),
      ];
      const hidden = parameter(ofBits(backend, x.subarray(0, rows * N), [rows, N], "f32"));
      const losses = linearCrossEntropy(hidden, head, wanted);
      return [losses, grad(sum(losses), [hidden])[0]!];
    });
    const wantedLoss: number[] = [];
    const wantedGradient: number[] = [];
    for (let r = 0; r < rows; r++) {
      const e = logitsOf(r).map(Math.exp);
      const total = e.reduce((a, b) => a + b);
      wantedLoss.push(Math.log(total) - Math.log(e[targets[r]!]!));
      for (let i = 0; i < N; i++)
        wantedGradient.push(e.reduce((g, p, v) => g + (p / total) * weight[v * N + i]!, 0) - weight[targets[r]! * N + i]!);
    }
    expectClose(await floatsOf(loss!, rows), wantedLoss);
    expectClose(await floatsOf(dx!, rows * N), wantedGradient);
  });

  test.each(HEADS)("logits by a head of %s, added to a row, and the way back", async (dtype, bits) => {
    const [y, dx] = scope(backend, () => {
      const head = ofBits(backend, bits, [VOCABULARY, N], dtype as DType);
      const logits = addmm(ofBits(backend, row, [VOCABULARY], "f32"), ofBits(backend, x.subarray(0, ROWS * N), [ROWS, N], "f32"), head, {
        transposeB: true,
      });
      return [logits, matmul(logits, head)];
    });
    const logits = Array.from({ length: ROWS }, (_, r) => logitsOf(r).map((z, v) => z + row[v]!));
    expectClose(await floatsOf(y!, ROWS * VOCABULARY), logits.flat());
    const back = logits.flatMap((row) => Array.from({ length: N }, (_, i) => row.reduce((s, z, v) => s + z * weight[v * N + i]!, 0)));
    expectClose(await floatsOf(dx!, ROWS * N), back);
  });
});
