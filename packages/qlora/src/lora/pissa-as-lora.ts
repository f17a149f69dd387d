// An adapter that PEFT began by PiSSA and saved as it was: it belongs on the base without its largest singular values, which PEFT decomposes again whenever it
// loads one. The same done once, here; what comes out is plain LoRA over the untouched base (residual.ts).
import type { ModelConfig } from "../config/model-config.ts";
import { linearModules } from "../config/model-parts.ts";
import { renamedTensors } from "../config/model-tensors.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import type { PeftAdapter, StoredLora } from "../formats/peft-adapter.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { storedValues } from "../formats/stored-rows.ts";
import { exactSvd } from "../linalg/truncated-svd.ts";
import { doubled, joinResidual } from "./residual.ts";
import { halves } from "./weight-start.ts";

/**
 * PEFT's PiSSA adapter as plain LoRA over the untouched base.
 * @param files of the base, whose weights are decomposed
 */
export async function pissaAsLora(stored: PeftAdapter, config: ModelConfig, files: ModelFiles): Promise<PeftAdapter> {
  const settings = doubled({ ...stored.settings, init: "default" });
  const tensors = renamedTensors(config, files.tensors);
  const modules = new Map<string, StoredLora>();
  for (const { name, outFeatures: rows, inFeatures: columns, transposed } of linearModules(config)) {
    const lora = stored.modules.get(name);
    if (!lora) continue;
    const values = await storedValues(name, tensors.get(`${name}.weight`)!);
    const matrix = transposed ? { values: turned(values, columns, rows), rows, columns } : { values, rows, columns };
    const start = halves(exactSvd(matrix, lora.rank), lora, rows);
    const trained = { a: await storedValues(name, lora.a), b: await storedValues(name, lora.b) };
    const { a, b } = joinResidual(trained, start, lora.rank);
    const [rank, alpha] = [2 * lora.rank, lora.scale * 2 * lora.rank];
    modules.set(name, { ...lora, rank, alpha, a: inMemory(lora.a, a, [rank, columns]), b: inMemory(lora.b, b, [rows, rank]) });
  }
  return { ...stored, settings, modules, residual: true };
}

function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

const inMemory = ({ file }: StoredTensor, values: Float32Array, shape: readonly number[]): StoredTensor => ({
  file,
  dtype: "F32",
  shape,
  byteLength: values.byteLength,
  read: async (offset = 0, length = values.byteLength - offset) => new Uint8Array(values.buffer, offset, length).slice(),
});
