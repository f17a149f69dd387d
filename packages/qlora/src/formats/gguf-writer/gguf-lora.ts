// A LoRA adapter as a GGUF file that llama.cpp puts on a base in GGUF (`--lora`). Tensors `<name>.lora_a` [rank, in] and `<name>.lora_b` [out, rank] in f32;
// where the converter reorders a weight's rows, B's rows follow. The file has one alpha, and llama.cpp scales each module by alpha / rank: what differs
// (patterns of ranks and alphas, rsLoRA) goes into B. Sources: llama.cpp v0.5.0, convert_lora_to_gguf.py, src/llama-adapter.cpp.
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { UsageError } from "../../error.ts";
import type { PeftAdapter, StoredLora } from "../peft-adapter.ts";
import { storedValues } from "../stored-rows.ts";
import { encodeTensor } from "./encode-tensor.ts";
import { ggufArchitecture } from "./gguf-architecture.ts";
import type { GgufTensor } from "./gguf-layout.ts";
import type { GgufModel } from "./gguf-model.ts";
import { ggufNames } from "./gguf-names.ts";
import { float32, string, uint32 } from "./gguf-value.ts";
import { FILE_TYPE, QUANTIZATION_VERSION } from "./model-metadata.ts";
import { reordered, rowOrder } from "./row-order.ts";

/**
 * What the file is to hold; `ggufChunks` makes its bytes.
 * @param name of the adapter, for whoever lists them
 * @throws UsageError if llama.cpp cannot compute what the base or the adapter computes, or has no such module
 */
export function ggufLora(name: string, config: DecoderConfig, adapter: PeftAdapter): GgufModel {
  const [held] = adapter.whole.keys();
  const more = adapter.settings.useDora ? "is a DoRA" : held === undefined ? undefined : `holds ${held} whole`;
  if (more !== undefined)
    throw new UsageError(adapter.folder, `${more}, which llama.cpp's adapters cannot. Merge it into the model instead.`, {
      adapter: adapter.folder,
    });
  const { architecture, warnings } = ggufArchitecture(adapter.folder, config);
  const [first] = adapter.modules.values();
  const alpha = first ? first.scale * first.rank : adapter.settings.alpha;
  const tensors = [...adapter.modules.values()].flatMap((lora) => {
    const names = ggufNames(architecture, config, lora.module);
    if (!names)
      throw new UsageError(adapter.folder, `adapts ${lora.module}, which llama.cpp's ${architecture} does not have.`, {
        module: lora.module,
      });
    const order = rowOrder(names.change, config, lora.b.shape[0]!);
    return [
      half(`${names.gguf}.weight.lora_a`, lora, "a", 1),
      half(`${names.gguf}.weight.lora_b`, lora, "b", (lora.scale * lora.rank) / alpha, order),
    ];
  });
  return {
    metadata: new Map([
      ["general.architecture", string(architecture)],
      ["general.type", string("adapter")],
      ["general.name", string(name)],
      ["general.file_type", uint32(FILE_TYPE.F32)],
      ["general.quantization_version", uint32(QUANTIZATION_VERSION)],
      ["adapter.type", string("lora")],
      ["adapter.lora.alpha", float32(alpha)],
    ]),
    tensors,
    warnings,
  };
}

function half(name: string, lora: StoredLora, side: "a" | "b", factor: number, order?: Uint32Array): GgufTensor {
  const stored = lora[side];
  const columns = stored.shape[1]!;
  return {
    name,
    type: "F32",
    shape: stored.shape,
    async *pieces() {
      const values = reordered(await storedValues(name, stored), columns, order);
      yield encodeTensor(name, "F32", factor === 1 ? values : values.map((x) => x * factor));
    },
  };
}
