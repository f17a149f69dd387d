// 4-bit tensors on every backend against what bitsandbytes made, which lies beside the repository: the bytes that are written, the values that are read.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Backend,
  bf16ToNumber,
  type DoubleQuantized,
  dequantize,
  doubleQuantize,
  namedFormat,
  nf4,
  type QFormat,
  QTensor,
  quantize,
  quantizeBlockwise,
  scope,
  type Tensor,
  tensor,
} from "@qlora-js/core";
import { openModelFiles } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { describe, expect, test } from "vitest";
import { describeOnBackends } from "../on-backends.ts";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

const FILE = join(SMOLLM2_REFERENCE, "..", "bitsandbytes", "quantize-4bit.json");
const absent = !existsSync(FILE);

interface Case {
  readonly n: number;
  readonly quant_type: string;
  readonly blocksize: number;
  readonly dq: boolean;
  readonly packed_sha256: string;
  readonly absmax_sha256: string;
  readonly deq_fp32_sha256: string;
  readonly offset?: number;
}

const cases: readonly Case[] = absent ? [] : (JSON.parse(readFileSync(FILE, "utf8")) as { cases: Case[] }).cases;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** The bytes of tensors, which are disposed. */
async function taken(tensors: readonly Tensor[]): Promise<Uint8Array[]> {
  const bytes = await Promise.all(tensors.map((t) => t.readBytes()));
  for (const t of tensors) t.dispose();
  return bytes;
}

const quantized = (backend: Backend, x: Float32Array, shape: readonly number[], format: QFormat): Promise<Uint8Array[]> =>
  taken(scope(backend, () => quantize(tensor(backend, x, shape), format).tensors()));

/** The values of double-quantized weights that another library stored. */
function restored(backend: Backend, stored: DoubleQuantized, format: QFormat, n: number): Promise<Uint8Array[]> {
  const { codes, absmaxCodes, absmax2, offset } = stored;
  const u8 = (bytes: Uint8Array): Tensor => tensor(backend, bytes, [bytes.length], "u8");
  const scales = () => ({
    codes: u8(absmaxCodes),
    absmax: tensor(backend, absmax2, [absmax2.length]),
    offset: tensor(backend, [offset], []),
  });
  return taken(scope(backend, () => [dequantize(new QTensor(format, [n], u8(codes), { kind: "double", ...scales() }))]));
}

/** The input of the goldens: an integer hash of the position, on [−1, 1). */
function hashInput(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    let u = Math.imul(i, 2654435761) >>> 0;
    u ^= u >>> 15;
    u = Math.imul(u, 2246822519) >>> 0;
    u ^= u >>> 13;
    return (u >>> 8) / 2 ** 23 - 1;
  });
}

describe.skipIf(absent)(`the data of bitsandbytes${absent ? " (skipped: ../shared/reference/bitsandbytes is absent)" : ""}`, () => {
  describeOnBackends("quantize and dequantize", (backend) => {
    for (const c of cases) {
      const { n, quant_type: name, blocksize: blockSize, dq: doubleQuant } = c;
      test(`${name}, ${n} weights in blocks of ${blockSize}${doubleQuant ? ", double-quantized" : ""}`, async () => {
        const x = hashInput(n);
        const format = namedFormat(name, { blockSize, doubleQuant });
        const [codes, scales, absmax2, offset] = (await quantized(backend(), x, [n], format)) as [Uint8Array, Uint8Array, ...Uint8Array[]];
        expect(sha256(codes)).toBe(c.packed_sha256);
        if (doubleQuant) {
          const blocks = quantizeBlockwise(x, format);
          const own = doubleQuantize(blocks);
          expect([scales, absmax2, offset]).toEqual([own.absmaxCodes, bytesOf(own.absmax2), bytesOf(Float32Array.of(own.offset))]);
          const [values] = await restored(backend(), doubleQuantize(blocks, c.offset!), format, n);
          expect(sha256(values!)).toBe(c.deq_fp32_sha256);
        } else {
          expect(sha256(scales)).toBe(c.absmax_sha256);
          const [values] = await taken(scope(backend(), () => [dequantize(quantize(tensor(backend(), x, [n]), format))]));
          expect(sha256(values!)).toBe(c.deq_fp32_sha256);
        }
      });
    }
  });
});

describe.skipIf(!hasSmolLm2)(`layers of SmolLM2${hasSmolLm2 ? "" : " (skipped: ../shared with SmolLM2 is absent)"}`, () => {
  describeOnBackends("quantize", (backend) => {
    test.each(["model.layers.0.self_attn.q_proj", "model.layers.29.mlp.down_proj"])("%s gets the codes of bitsandbytes", async (name) => {
      const golden = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as {
        quantized_modules: Record<string, { codes_sha256: string; offset: number }>;
      };
      const files = await openModelFiles(await openFolder(smolLm2Folder()));
      const stored = files.tensors.get(`${name}.weight`)!;
      const x = Float32Array.from(new Uint16Array((await stored.read()).buffer), bf16ToNumber);
      await files.close();
      const [codes, absmaxCodes, absmax2, offset] = await quantized(backend(), x, stored.shape, nf4());
      const { codes_sha256, offset: theirs } = golden.quantized_modules[name]!;
      expect(sha256(codes!)).toBe(codes_sha256);
      const own = doubleQuantize(quantizeBlockwise(x, nf4()));
      expect([absmaxCodes, absmax2, offset]).toEqual([own.absmaxCodes, bytesOf(own.absmax2), bytesOf(Float32Array.of(own.offset))]);
      expect(Math.abs(own.offset / theirs - 1)).toBeLessThanOrEqual(1e-6);
    });
  });
});
