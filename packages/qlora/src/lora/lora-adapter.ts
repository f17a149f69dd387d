// An adapter on a model: which linear layers it wraps, and the small matrices that are trained. Taking it off leaves the base as it was.
import { bf16ToNumber, f16ToNumber, fold, key, parameter, scope, type Tensor, tensor, uniform } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import type { LoraToStore } from "../formats/adapter-tensors.ts";
import { type LoraTarget, loraTargets } from "../formats/lora-targets.ts";
import type { PeftAdapter } from "../formats/peft-adapter.ts";
import { ADAPTER_CONFIG, type LoraSettings } from "../formats/peft-config.ts";
import { loraKey } from "../formats/peft-keys.ts";
import { quoted } from "../formats/quoted.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import type { LanguageModel } from "../models/language-model.ts";
import type { Linear } from "../nn/linear.ts";
import { LoraLinear } from "../nn/lora-linear.ts";

/** Names the stream of random numbers for initial weights, apart from those of data order and dropout under the same seed. */
const INIT_STREAM = 0x6c6f7261; // "lora"

/** A [rank, in] and B [out, rank], row-major. */
interface Matrices {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

export class LoraAdapter {
  private constructor(
    readonly model: LanguageModel,
    readonly settings: LoraSettings,
    /** The wrapped layers by name, in the model's order. */
    readonly layers: ReadonlyMap<string, LoraLinear>,
  ) {
    for (const [name, linear] of layers) model.replaceLinear(name, linear);
  }

  /**
   * A new adapter: A uniform in ±1/√in (Kaiming with a = √5, PEFT's default), B zero, so that the model computes what it did.
   * @throws UsageError if the settings name no layer of the model
   */
  static create(model: LanguageModel, settings: LoraSettings, seed: number): LoraAdapter {
    const linears = model.linears();
    const targets = loraTargets(settings, [...linears.keys()], ADAPTER_CONFIG);
    if (targets.length === 0) {
      const ends = [...new Set([...linears.keys()].map((name) => name.slice(name.lastIndexOf(".") + 1)))];
      throw new UsageError(
        "--targets",
        `${quoted(settings.targetModules)} names no linear layer of the model. Use all-linear, or some of ${ends.join(", ")}.`,
        { targets: settings.targetModules },
      );
    }
    const stream = fold(key(seed), INIT_STREAM);
    const wrapped = targets.map((target, site) => {
      const base = linears.get(target.module)!;
      const bound = 1 / Math.sqrt(base.inFeatures);
      const a = uniform(fold(stream, site), target.rank * base.inFeatures, -bound, bound);
      const b = new Float32Array(base.outFeatures * target.rank);
      return [target.module, wrap(model, base, target, settings.dropout, site, { a, b })] as const;
    });
    return new LoraAdapter(model, settings, new Map(wrapped));
  }

  /** The adapter of a PEFT folder, to go on with or to generate with. `dropout` replaces that of its settings. */
  static async load(model: LanguageModel, stored: PeftAdapter, dropout = stored.settings.dropout): Promise<LoraAdapter> {
    const linears = model.linears();
    const layers = new Map<string, LoraLinear>();
    for (const [name, lora] of stored.modules) {
      const matrices = { a: await readFloats(lora.a), b: await readFloats(lora.b) };
      layers.set(name, wrap(model, linears.get(name)!, lora, dropout, layers.size, matrices));
    }
    return new LoraAdapter(model, { ...stored.settings, dropout }, layers);
  }

  /** What is trained, by the names of adapter_model.safetensors: for each layer A, then B. */
  parameters(): Map<string, Tensor> {
    return new Map(
      [...this.layers].flatMap(([name, { a, b }]) => [
        [loraKey(name, "a"), a],
        [loraKey(name, "b"), b],
      ]),
    );
  }

  get parameterCount(): number {
    return [...this.parameters().values()].reduce((n, p) => n + p.storage.byteLength / 4, 0);
  }

  /** The matrices for writing a PEFT folder, each read when its turn comes. */
  toStore(): LoraToStore[] {
    return [...this.layers].map(([module, { a, b }]) => ({
      module,
      a: { shape: a.shape, dtype: "F32", data: () => a.readBytes() },
      b: { shape: b.shape, dtype: "F32", data: () => b.readBytes() },
    }));
  }

  /** Takes the adapter off the model and frees it. */
  detach(): void {
    for (const [name, linear] of this.layers) this.model.replaceLinear(name, linear.detach());
  }
}

function wrap(
  { backend }: LanguageModel,
  base: Linear,
  { rank, scale }: LoraTarget,
  dropout: number,
  site: number,
  { a, b }: Matrices,
): LoraLinear {
  const make = (values: Float32Array, shape: readonly number[]): Tensor => scope(backend, () => parameter(tensor(backend, values, shape)));
  return new LoraLinear(base, make(a, [rank, base.inFeatures]), make(b, [base.outFeatures, rank]), { scale, dropout, site });
}

async function readFloats({ dtype, read }: StoredTensor): Promise<Float32Array> {
  const { buffer } = await read();
  if (dtype === "F32") return new Float32Array(buffer);
  return Float32Array.from(new Uint16Array(buffer), dtype === "BF16" ? bf16ToNumber : f16ToNumber);
}
