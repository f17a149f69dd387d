// What transformers and bitsandbytes compute on SmolLM2-135M-Instruct: all 4-bit codes and 8-bit scales, losses, greedy answers.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, fp4, nf4, type QFormat } from "@qlora-js/core";
import {
  type Example,
  evaluate,
  generate,
  type LanguageModel,
  loadModel,
  openModelFiles,
  type QuantizedLinear,
  readModelConfig,
} from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

interface Observed {
  readonly loss: number;
  readonly supervised: number;
  readonly prompts: readonly { readonly ids: number[]; readonly greedy: number[] }[];
}
interface Golden {
  readonly f32: Observed;
  readonly nf4_dq: Observed;
  readonly nf4: Observed;
  readonly fp4_dq: Observed;
  readonly texts: { readonly passages: readonly string[] };
  readonly tokenizer: readonly { readonly text: string; readonly ids: number[] }[];
  readonly quantized_modules: Readonly<
    Record<string, { readonly codes_sha256: string; readonly absmax_codes_sha256: string; readonly offset: number }>
  >;
}
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const reason = hasSmolLm2 ? "" : " (skipped: ../shared with SmolLM2 and its reference is absent)";

describe.skipIf(!hasSmolLm2)(`SmolLM2-135M-Instruct${reason}`, () => {
  let backend: Backend;
  let golden: Golden;
  let passages: Example[];
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 2 });
    golden = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as Golden;
    passages = golden.texts.passages.map((passage) => {
      const inputIds = Int32Array.from(golden.tokenizer.find(({ text }) => text === passage)!.ids);
      return { inputIds, labels: inputIds, bytes: passage.length } as unknown as Example;
    });
  });
  afterEach(() => expect(backend.memory().liveBuffers, "live buffers after the test").toBe(0));
  afterAll(() => backend.dispose());

  async function load(format: QFormat | null): Promise<LanguageModel> {
    const folder = await openFolder(smolLm2Folder());
    const files = await openModelFiles(folder);
    const model = await loadModel(backend, await readModelConfig(folder), files, { format });
    await files.close();
    return model;
  }

  it("has bitsandbytes' codes and 8-bit scales in all 210 layers", async () => {
    const model = await load(nf4());
    const linears = model.linears();
    expect(linears.size).toBe(210);
    for (const [name, expected] of Object.entries(golden.quantized_modules)) {
      const { weight } = linears.get(name) as QuantizedLinear;
      if (weight.scales.kind !== "double") throw new TypeError(`${name} is not double-quantized`);
      expect(sha256(await weight.codes.readBytes()), name).toBe(expected.codes_sha256);
      expect(sha256(await weight.scales.codes.readBytes()), name).toBe(expected.absmax_codes_sha256);
      expect(Math.abs((await weight.scales.offset.item()) / expected.offset - 1), name).toBeLessThan(1e-6);
    }
    model.dispose();
  });

  it.each([
    ["f32", null],
    ["nf4_dq", nf4()],
    ["nf4", nf4({ doubleQuant: false })],
    ["fp4_dq", fp4()],
  ] as const)("%s: losses to 1e-4, greedy answers the same", async (name, format) => {
    const expected = golden[name];
    const model = await load(format);
    const { loss, supervisedTokens } = await evaluate(model, passages, 1);
    expect(supervisedTokens).toBe(expected.supervised);
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-4);
    for (const { ids, greedy } of expected.prompts) {
      const found = [];
      for await (const id of generate(model, ids, { maxNewTokens: greedy.length, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [2] }))
        found.push(id);
      expect(found).toEqual(greedy);
    }
    model.dispose();
  });
});
