// An adapter that mlx-lm trained, as PEFT would have it: `adapters.safetensors` with lora_a [in, rank] and lora_b [rank, out] (and DoRA's m [out]), which are
// turned when they are read, and `adapter_config.json` with one scale for all. Source: mlx-lm, mlx_lm/tuner (lora.py, dora.py, utils.py).
import { FormatError, type Shape, sameShape, show } from "@qlora-js/core";
import * as z from "zod/mini";
import type { LinearModule } from "../config/model-part.ts";
import { AdapterMismatchError, UsageError } from "../error.ts";
import type { Folder } from "./folder.ts";
import { MLX_CONFIG, MLX_WEIGHTS } from "./mlx-adapter.ts";
import type { PeftAdapter, StoredLora } from "./peft-adapter.ts";
import { loraSettings } from "./peft-config.ts";
import { quoted } from "./quoted.ts";
import { checkJson, readJson } from "./read-json.ts";
import { openSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";
import { storedValues } from "./stored-rows.ts";

const MAX_CONFIG_BYTES = 4_000_000;

const Schema = z.object({
  fine_tune_type: z._default(z.string().check(z.maxLength(100)), "lora"),
  model: z.nullish(z.string().check(z.maxLength(4096))),
  lora_parameters: z.object({
    scale: z.number().check(z.gt(0)),
    dropout: z.pipe(
      z.nullish(z.number().check(z.minimum(0), z.lt(1))),
      z.transform((x) => x ?? 0),
    ),
  }),
});

/** Whether a folder holds an adapter of MLX's. */
export const isMlxAdapter = ({ files }: Folder): boolean => files.includes(MLX_WEIGHTS) && files.includes(MLX_CONFIG);

/**
 * Opens an adapter for a base model with these modules.
 * @throws UsageError if it is no LoRA or DoRA of linear layers
 * @throws AdapterMismatchError if it was made for another base
 * @throws FormatError if a file is damaged
 */
export async function openMlxAdapter(folder: Folder, modules: readonly LinearModule[]): Promise<PeftAdapter> {
  const file = `${folder.name}/${MLX_CONFIG}`;
  const raw = checkJson(file, Schema, await readJson(folder, MLX_CONFIG, MAX_CONFIG_BYTES));
  const type = raw.fine_tune_type;
  if (type !== "lora" && type !== "dora")
    throw new UsageError(file, `fine_tune_type ${quoted(type)} is not supported. "lora" and "dora" are.`, { value: type });
  const weights = await openSafetensors(await folder.open(MLX_WEIGHTS));
  try {
    const reader = new Reader(folder.name, weights, type === "dora", raw.lora_parameters.scale);
    const found = reader.read(modules);
    const ranks = new Set([...found.values()].map(({ rank }) => rank));
    const rank = Math.max(...ranks);
    const settings = loraSettings({
      rank,
      alpha: rank * raw.lora_parameters.scale,
      dropout: raw.lora_parameters.dropout,
      targetModules: [...found.keys()],
      useDora: type === "dora",
      rankPattern: ranks.size > 1 ? [...found].map(([name, lora]) => [exactly(name), lora.rank]) : [],
      alphaPattern: ranks.size > 1 ? [...found].map(([name, lora]) => [exactly(name), lora.alpha]) : [],
      baseModel: raw.model ?? undefined,
    });
    return {
      folder: folder.name,
      settings,
      unknownKeys: [],
      modules: found,
      whole: new Map(),
      residual: false,
      close: () => weights.close(),
    };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** A pattern for one name. */
const exactly = (name: string): string => name.replaceAll(".", "\\.");

type Part = "lora_a" | "lora_b" | "m";

class Reader {
  constructor(
    readonly folder: string,
    readonly weights: Safetensors,
    readonly dora: boolean,
    readonly scale: number,
  ) {}

  read(modules: readonly LinearModule[]): Map<string, StoredLora> {
    const parts = this.#sortOut();
    const found = new Map<string, StoredLora>();
    for (const module of modules) {
      const own = parts.get(module.name);
      if (own) found.set(module.name, this.#lora(module, own));
      parts.delete(module.name);
    }
    const [other] = parts.keys();
    if (other !== undefined) {
      const what = `adapts ${quoted(other)}, which is not a linear layer of the base model. Use the base it was trained on.`;
      throw new AdapterMismatchError(this.folder, other, undefined, undefined, what);
    }
    if (found.size === 0) throw new FormatError(this.weights.file, "holds no adapter's matrices.");
    return found;
  }

  #sortOut(): Map<string, Partial<Record<Part, StoredTensor>>> {
    const parts = new Map<string, Partial<Record<Part, StoredTensor>>>();
    for (const [key, tensor] of this.weights.tensors) {
      const [, module, part] = /^(.+)\.(lora_a|lora_b|m)$/.exec(key) ?? [];
      if (module === undefined)
        throw new UsageError(
          this.weights.file,
          `holds ${quoted(key)}, which is no part of LoRA on linear layers; only that is supported.`,
          {
            key,
          },
        );
      parts.set(module, { ...parts.get(module), [part as Part]: tensor });
    }
    return parts;
  }

  #lora({ name, inFeatures, outFeatures }: LinearModule, parts: Partial<Record<Part, StoredTensor>>): StoredLora {
    const need = (part: Part): StoredTensor => {
      const tensor = parts[part];
      if (!tensor) throw new FormatError(this.weights.file, `lacks the tensor ${quoted(`${name}.${part}`)}.`);
      return tensor;
    };
    const [a, b] = [need("lora_a"), need("lora_b")];
    const rank = a.shape[1];
    if (a.shape.length !== 2 || !rank)
      throw new FormatError(this.weights.file, `${quoted(`${name}.lora_a`)} is ${show(a.shape)}, no matrix.`);
    this.#check(name, "lora_a", a, [inFeatures, rank]);
    this.#check(name, "lora_b", b, [rank, outFeatures]);
    if (!this.dora && parts.m) throw new FormatError(this.weights.file, `holds ${quoted(`${name}.m`)}, and fine_tune_type is not "dora".`);
    const magnitude = this.dora ? need("m") : undefined;
    if (magnitude) this.#check(name, "m", magnitude, [outFeatures]);
    const { scale } = this;
    return { module: name, rank, alpha: rank * scale, scale, a: turned(a), b: turned(b), ...(magnitude ? { magnitude } : {}) };
  }

  #check(module: string, part: Part, { dtype, shape }: StoredTensor, expected: Shape): void {
    if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16")
      throw new FormatError(this.weights.file, `${quoted(`${module}.${part}`)} is of type ${dtype}; adapters are read from floats.`);
    if (sameShape(shape, expected)) return;
    const what = `is for another base model. ${module}: ${part} should be ${show(expected)}, and is ${show(shape)}. Use the base it was trained on.`;
    throw new AdapterMismatchError(this.folder, module, expected, shape, what);
  }
}

/** The transpose of a stored matrix, as f32. */
function turned(stored: StoredTensor): StoredTensor {
  const [rows, columns] = stored.shape as [number, number];
  const byteLength = 4 * rows * columns;
  return {
    file: stored.file,
    dtype: "F32",
    shape: [columns, rows],
    byteLength,
    async read(offset = 0, length = byteLength - offset) {
      const values = await storedValues("", stored);
      const out = new Float32Array(values.length);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
      return new Uint8Array(out.buffer, offset, length).slice();
    },
  };
}
