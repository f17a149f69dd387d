// An adapter on a model: which linear layers it wraps, the small matrices that are trained, and tensors of the model that are trained whole. Taking it off
// leaves the base as it was. Several may be on one model; with-adapters.ts says how much of each there is in a call.
import { cast, parameter, scale, scope, type Tensor, tensor } from "@qlora-js/core";
import { type SavableTensor, wholeTensors } from "../config/savable-tensors.ts";
import { UsageError } from "../error.ts";
import type { LoraToStore, MatrixToStore, WholeToStore } from "../formats/adapter-tensors.ts";
import { type LoraTarget, loraTargets } from "../formats/lora-targets.ts";
import type { PeftAdapter } from "../formats/peft-adapter.ts";
import { ADAPTER_CONFIG, type LoraSettings } from "../formats/peft-config.ts";
import { loraKey, wholeKey } from "../formats/peft-keys.ts";
import { quoted } from "../formats/quoted.ts";
import { storedValues } from "../formats/stored-rows.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { AdaptedLinear, type AdaptedOptions } from "../nn/adapted-linear.ts";
import type { Attachment } from "../nn/attachment.ts";
import { DoraLinear } from "../nn/dora-linear.ts";
import type { Linear } from "../nn/linear.ts";
import { LoraLinear } from "../nn/lora-linear.ts";
import { firstMatrices } from "./first-matrices.ts";
import { doubled, halved, joinResidual, type Matrices, splitResidual } from "./residual.ts";

/** A tensor of the model that is trained whole. */
interface WholeTensor {
  readonly at: SavableTensor;
  readonly trained: Tensor;
}

/** What adapters began with where that is not a matter of settings and seed: by module. */
export type Starts = ReadonlyMap<string, Matrices>;

/** How an adapter is put on a base: what may differ from its settings. */
export interface LoadedAs {
  /** Replaces the dropout of its settings. */
  readonly dropout?: number;
  /** Whether the base was loaded without what a residual adapter took off it (`residualStart`); else such an adapter is plain LoRA of twice the rank. */
  readonly taken?: boolean;
}

/** An adapter on a model: small matrices beside its linear layers, and tensors that are trained whole. Taking it off leaves the base as it was. */
export class LoraAdapter implements Attachment {
  #weight = 1;

  private constructor(
    readonly model: LanguageModel,
    readonly settings: LoraSettings,
    /** The wrapped layers by name, in the model's order. */
    readonly layers: ReadonlyMap<string, AdaptedLinear>,
    readonly whole: readonly WholeTensor[],
    readonly share: { weight: number },
    /** What the base lacks since it was loaded, by module: PiSSA's. */
    readonly taken: Starts | undefined,
  ) {
    for (const [name, linear] of layers) model.replaceLinear(name, linear);
    for (const { at, trained } of whole) slotOf(model, at).put(trained);
    model.attached.add(this);
  }

  /**
   * A new adapter. As PEFT begins it, the model computes what it did: B is zero, or A and B are what was taken off the weights.
   * @param starts the first matrices where loading the model found them (PiSSA, LoftQ)
   * @throws UsageError if the settings name no layer of the model, or want to train whole what cannot be
   */
  static create(model: LanguageModel, settings: LoraSettings, seed: number, starts?: Starts): LoraAdapter {
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
    const share = { weight: 1 };
    const saved = wholeTensors(settings, model.config, new Set(targets.map(({ module }) => module)), "--modules-to-save");
    const layers = targets.map((target, site) => {
      const base = linears.get(target.module)!;
      const first = starts?.get(target.module) ?? firstMatrices(settings.init, target.rank, base, seed, site);
      return [
        target.module,
        wrap(base, target, { dropout: settings.dropout, site, share }, { ...first, dora: settings.useDora }, model),
      ] as const;
    });
    const whole = saved.map((at) => ({ at, trained: copied(model, slotOf(model, at).tensor) }));
    return new LoraAdapter(model, settings, new Map(layers), whole, share, settings.init.startsWith("pissa") ? starts : undefined);
  }

  /**
   * The adapter of a folder, to go on with or to compute with.
   */
  static async load(
    model: LanguageModel,
    stored: PeftAdapter,
    { dropout = stored.settings.dropout, taken = false }: LoadedAs = {},
  ): Promise<LoraAdapter> {
    const linears = model.linears();
    const settings = { ...(taken ? halved(stored.settings) : stored.settings), dropout };
    const targets = new Map(loraTargets(settings, [...stored.modules.keys()], stored.folder).map((t) => [t.module, t]));
    const share = { weight: 1 };
    const layers = new Map<string, AdaptedLinear>();
    const starts = new Map<string, Matrices>();
    for (const [name, lora] of stored.modules) {
      const both = { a: await storedValues(name, lora.a), b: await storedValues(name, lora.b) };
      const options = { dropout, site: layers.size, share };
      const magnitude = lora.magnitude && (await storedValues(name, lora.magnitude));
      const target = targets.get(name)!;
      const parts = taken ? splitResidual(both, target.rank) : { trained: both, start: undefined };
      if (parts.start) starts.set(name, parts.start);
      layers.set(name, wrap(linears.get(name)!, target, options, { ...parts.trained, dora: magnitude ?? false }, model));
    }
    const adapted = new Set(layers.keys());
    const whole: WholeTensor[] = [];
    for (const at of wholeTensors(settings, model.config, adapted, stored.folder))
      whole.push({ at, trained: made(model, await storedValues(at.name, stored.whole.get(at.name)!), at.shape) });
    return new LoraAdapter(model, settings, layers, whole, share, taken ? starts : undefined);
  }

  get weight(): number {
    return this.#weight;
  }

  /** @throws UsageError for a weight other than 0 and 1 where rows have trained lengths, or tensors are trained whole */
  checkWeight(weight: number): void {
    if (weight !== 0 && weight !== 1 && (this.settings.useDora || this.whole.length > 0)) {
      const why = this.settings.useDora ? "is a DoRA" : "trains modules whole";
      throw new UsageError("adapter", `${why}, so it is there or not, and its weight cannot be ${weight}. Give 0 or 1.`, { weight });
    }
  }

  /**
   * How much of it there is in what is computed.
   * @throws UsageError as checkWeight
   */
  setWeight(weight: number): void {
    this.checkWeight(weight);
    if (weight === this.#weight) return;
    for (const { at, trained } of this.whole) {
      const slot = slotOf(this.model, at);
      if (weight === 1) slot.put(trained);
      else if (slot.tensor === trained) slot.put(null);
    }
    this.#weight = weight;
    this.share.weight = weight;
  }

  /** What is trained, by the names of adapter_model.safetensors: for each layer A, B and DoRA's lengths, then what is trained whole. */
  parameters(): Map<string, Tensor> {
    const sides = ["a", "b", "magnitude"] as const;
    return new Map([
      ...[...this.layers].flatMap(([name, layer]) => layer.trained().map((t, i) => [loraKey(name, sides[i]!), t] as const)),
      ...this.whole.map(({ at, trained }) => [wholeKey(at.module, at.ending, this.layers.has(at.module)), trained] as const),
    ]);
  }

  /** Numbers that are trained. */
  get parameterCount(): number {
    return [...this.parameters().values()].reduce((n, p) => n + p.storage.byteLength / 4, 0);
  }

  /** Settings as the file has them. */
  get storedSettings(): LoraSettings {
    return this.taken ? doubled(this.settings) : this.settings;
  }

  /** The low-rank matrices for writing a PEFT folder, each read when its turn comes. */
  toStore(): LoraToStore[] {
    return [...this.layers].map(([module, layer]) => {
      const start = this.taken?.get(module);
      const [a, b, magnitude] = layer.trained() as [Tensor, Tensor, Tensor?];
      if (start) return { module, ...joined(a, b, start) };
      return { module, a: asStored(a), b: asStored(b), ...(magnitude ? { magnitude: asStored(magnitude) } : {}) };
    });
  }

  /** Tensors trained whole, for writing. */
  wholeToStore(): WholeToStore[] {
    return this.whole.map(({ at: { module, ending }, trained }) => ({ module, ending, tensor: asStored(trained) }));
  }

  disposeWhole(): void {
    for (const { at, trained } of this.whole) {
      const slot = slotOf(this.model, at);
      if (slot.tensor === trained) slot.put(null);
      trained.dispose();
    }
  }

  /** Takes the adapter off the model and frees it. */
  detach(): void {
    for (const [name, layer] of this.layers) unwrap(this.model, name, layer);
    this.disposeWhole();
    this.model.attached.delete(this);
  }
}

const slotOf = (model: LanguageModel, { name }: SavableTensor) => model.slots.get(name)!;

/** Takes one layer out of the adapters that are around a linear layer. */
function unwrap(model: LanguageModel, name: string, layer: AdaptedLinear): void {
  let outer: Linear | undefined = model.linears().get(name);
  if (outer === layer) model.replaceLinear(name, layer.base);
  else
    for (; outer instanceof AdaptedLinear; outer = outer.base)
      if (outer.base === layer) {
        outer.base = layer.base;
        break;
      }
  layer.detach();
}

interface First extends Matrices {
  /** Lengths of rows; true measures them, false is plain LoRA. */
  readonly dora: Float32Array | boolean;
}

function wrap(
  base: Linear,
  { rank, scale }: LoraTarget,
  options: Omit<AdaptedOptions, "scale">,
  { a, b, dora }: First,
  model: LanguageModel,
): AdaptedLinear {
  const [first, second] = [made(model, a, [rank, base.inFeatures]), made(model, b, [base.outFeatures, rank])];
  if (dora === false) return new LoraLinear(base, first, second, { ...options, scale });
  const lengths = dora === true ? null : made(model, dora, [base.outFeatures]);
  return new DoraLinear(base, first, second, lengths, { ...options, scale });
}

const made = ({ backend }: LanguageModel, values: Float32Array, shape: readonly number[]): Tensor =>
  scope(backend, () => parameter(tensor(backend, values, shape)));

/** Trained from the frozen values, in bytes of its own. */
const copied = ({ backend }: LanguageModel, frozen: Tensor): Tensor => scope(backend, () => parameter(scale(cast(frozen, "f32"), 1)));

const asStored = (t: Tensor): MatrixToStore => ({ shape: t.shape, dtype: "F32", data: () => t.readBytes() });

/** Both matrices with what was taken off the base beside them. */
function joined(a: Tensor, b: Tensor, start: Matrices): { a: MatrixToStore; b: MatrixToStore } {
  const [rank, inFeatures] = a.shape as [number, number];
  const bytes = async (side: "a" | "b"): Promise<Uint8Array> => {
    const both = joinResidual({ a: await a.read(), b: await b.read() }, start, rank);
    return new Uint8Array(both[side].buffer);
  };
  return {
    a: { shape: [2 * rank, inFeatures], dtype: "F32", data: () => bytes("a") },
    b: { shape: [b.shape[0]!, 2 * rank], dtype: "F32", data: () => bytes("b") },
  };
}
