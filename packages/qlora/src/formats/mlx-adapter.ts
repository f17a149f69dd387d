// A LoRA adapter in the files that mlx-lm loads (`--adapter-path`): `adapters.safetensors` with lora_a [in, rank] and lora_b [rank, out], both turned
// against PEFT's, and `adapter_config.json` with the scale itself in place of alpha. There is one scale for all modules: where they differ, lora_b takes
// up the rest. Source: mlx-lm, mlx_lm/tuner/utils.py (`load_adapters`), tuner/lora.py. Written here; open-mlx-adapter.ts reads.
import type { DecoderConfig } from "../config/decoder-config.ts";
import { UsageError } from "../error.ts";
import type { PeftAdapter, StoredLora } from "./peft-adapter.ts";
import { quoted } from "./quoted.ts";
import type { TensorToStore } from "./safetensors-layout.ts";
import { storedValues } from "./stored-rows.ts";

export const MLX_WEIGHTS = "adapters.safetensors";
export const MLX_CONFIG = "adapter_config.json";

/** An adapter as mlx-lm's two files. */
export interface MlxAdapter {
  readonly tensors: readonly TensorToStore[];
  /** The text of its config. */
  readonly config: string;
}

/**
 * An adapter as mlx-lm's files: both matrices turned, A [in, rank] and B [rank, out], and the scale in place of alpha.
 * @throws UsageError for a model whose modules mlx-lm names otherwise, or an adapter that holds modules whole
 */
export function mlxAdapter({ modelType, names, layers }: DecoderConfig, { folder, modules, settings, whole }: PeftAdapter): MlxAdapter {
  const [held] = whole.keys();
  if (held !== undefined)
    throw new UsageError(folder, `holds ${quoted(held)} whole, which adapters of MLX do not. Merge it into the model instead.`, {
      tensor: held,
    });
  if (names.layers !== "model.layers")
    throw new UsageError(
      folder,
      `adapters of ${quoted(modelType)} models are not written for MLX, which names their modules otherwise. Use --as peft or gguf-lora.`,
      {
        modelType,
      },
    );
  const all = [...modules.values()];
  const scale = all[0]?.scale ?? 1;
  const inLayer = (module: string): string => module.slice(names.layers.length + 1).replace(/^\d+\./, "");
  const config = {
    fine_tune_type: settings.useDora ? "dora" : "lora",
    model: settings.baseModel ?? null,
    num_layers: layers,
    lora_parameters: {
      rank: Math.max(...all.map(({ rank }) => rank)),
      scale,
      dropout: settings.dropout,
      keys: [...new Set(all.map(({ module }) => inLayer(module)))],
    },
  };
  return {
    tensors: all.flatMap((lora) => [turned(lora, "a", 1), turned(lora, "b", lora.scale / scale), ...lengths(lora)]),
    config: `${JSON.stringify(config, undefined, 4)}\n`,
  };
}

/** DoRA's lengths of rows. */
function lengths({ module, magnitude }: StoredLora): TensorToStore[] {
  if (!magnitude) return [];
  const name = `${module}.m`;
  return [
    { name, dtype: "F32", shape: magnitude.shape, data: async () => new Uint8Array((await storedValues(name, magnitude)).slice().buffer) },
  ];
}

function turned(lora: StoredLora, side: "a" | "b", factor: number): TensorToStore {
  const [rows, columns] = lora[side].shape as [number, number];
  const name = `${lora.module}.lora_${side}`;
  return {
    name,
    dtype: "F32",
    shape: [columns, rows],
    async data() {
      const values = await storedValues(name, lora[side]);
      const out = new Float32Array(values.length);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]! * factor;
      return new Uint8Array(out.buffer);
    },
  };
}
