// An adapter, of whichever tool, as PEFT would have saved it.
import type { ModelConfig } from "../../config/model-config.ts";
import { savableTensors } from "../../config/savable-tensors.ts";
import type { PeftAdapter } from "../../formats/peft-adapter.ts";
import { writePeftAdapter } from "../../formats/peft-writer.ts";
import type { StoredTensor } from "../../formats/safetensors.ts";

/** @throws StorageError if it cannot be written */
export async function writePeft(to: string, config: ModelConfig, { settings, modules, whole, residual }: PeftAdapter): Promise<void> {
  const loras = [...modules].map(([module, { a, b, magnitude }]) => {
    return { module, a: toStore(a), b: toStore(b), ...(magnitude ? { magnitude: toStore(magnitude) } : {}) };
  });
  const held = savableTensors(config).flatMap(({ name, module, ending }) => {
    const tensor = whole.get(name);
    return tensor ? [{ module, ending, tensor: toStore(tensor) }] : [];
  });
  await writePeftAdapter(to, settings, loras, { whole: held, residual });
}

const toStore = (tensor: StoredTensor) => ({ dtype: tensor.dtype, shape: tensor.shape, data: () => tensor.read() });
