// Adapters that begin with a part of the weights: what is done to each weight on its way into the model, and the first matrices that follow from it.
import { dequantize, fold, key, matmul, noGrad, type QFormat, quantize, scale, scope, sub, type Tensor, tensor } from "@qlora-js/core";
import type { LinearModule } from "../config/model-part.ts";
import { UsageError } from "../error.ts";
import { type LoraTarget, loraTargets } from "../formats/lora-targets.ts";
import type { PeftAdapter } from "../formats/peft-adapter.ts";
import type { LoraSettings } from "../formats/peft-config.ts";
import { storedValues } from "../formats/stored-rows.ts";
import { exactSvd, randomizedSvd, type TruncatedSvd } from "../linalg/truncated-svd.ts";
import { halved, type Matrices, splitResidual } from "./residual.ts";

/** How an adapter begins where that depends on the weights it is beside. */
export interface WeightStart {
  /** The first A and B, by module; there once the model is loaded. */
  readonly starts: ReadonlyMap<string, Matrices>;
  /** What is to be stored in the place of a weight, f32 [out, in]: a tensor of its own. Undefined for a weight that stays as it is. */
  prepare(module: LinearModule, weight: Tensor): Promise<Tensor> | undefined;
}

/** Names the stream of random numbers for decompositions. */
const SVD_STREAM = 0x73766400; // "svd"

/**
 * What settings of a new adapter ask for, undefined if nothing.
 * @param format what weights will be stored in
 * @throws UsageError if they cannot begin that way over such weights
 */
export function weightStart(
  settings: LoraSettings,
  modules: readonly LinearModule[],
  format: QFormat | null,
  seed: number,
): WeightStart | undefined {
  const { init } = settings;
  const names = modules.map(({ name }) => name);
  const targets = new Map(loraTargets(settings, names, "--init").map((target) => [target.module, target]));
  if (init.startsWith("pissa")) return new PissaStart(targets, init, seed);
  if (init !== "loftq") return undefined;
  if (!format)
    throw new UsageError("--init", "is loftq, which makes up for what 4 bits take off the weights, and --format is none. Leave one out.");
  return new LoftqStart(targets, format);
}

/** Of an adapter that began with a part of the weights: takes the same part off again. */
export async function residualStart(stored: PeftAdapter): Promise<WeightStart> {
  const targets = new Map(
    loraTargets(halved(stored.settings), [...stored.modules.keys()], stored.folder).map((target) => [target.module, target]),
  );
  const starts = new Map<string, Matrices>();
  for (const [name, lora] of stored.modules) {
    const both = { a: await storedValues(name, lora.a), b: await storedValues(name, lora.b) };
    starts.set(name, splitResidual(both, lora.rank / 2).start);
  }
  return {
    starts,
    prepare({ name }, weight) {
      const [target, start] = [targets.get(name), starts.get(name)];
      return target && start && Promise.resolve(without(weight, start, target));
    },
  };
}

type Targets = ReadonlyMap<string, LoraTarget>;

/** PiSSA (Meng et al. 2024): A and B are the weight's largest singular values with their vectors, and the weight is left with the rest. */
class PissaStart implements WeightStart {
  readonly starts = new Map<string, Matrices>();
  readonly #rounds: number | null;

  constructor(
    readonly targets: Targets,
    init: string,
    readonly seed: number,
  ) {
    this.#rounds = init === "pissa" ? null : Number(init.slice("pissa_niter_".length));
  }

  prepare({ name, outFeatures: rows, inFeatures: columns }: LinearModule, weight: Tensor): Promise<Tensor> | undefined {
    const target = this.targets.get(name);
    if (!target) return undefined;
    return (async () => {
      const matrix = { values: await weight.read(), rows, columns };
      const stream = fold(fold(key(this.seed), SVD_STREAM), this.starts.size);
      const svd = this.#rounds === null ? exactSvd(matrix, target.rank) : randomizedSvd(matrix, target.rank, this.#rounds, stream);
      const start = halves(svd, target, rows);
      this.starts.set(name, start);
      return without(weight, start, target);
    })();
  }
}

/** LoftQ (Li et al. 2023) in one round, as PEFT's `replace_lora_weights_loftq`: A and B are the largest part of what quantization takes off. */
class LoftqStart implements WeightStart {
  readonly starts = new Map<string, Matrices>();

  constructor(
    readonly targets: Targets,
    readonly format: QFormat,
  ) {}

  prepare({ name, outFeatures: rows, inFeatures: columns, keep }: LinearModule, weight: Tensor): Promise<Tensor> | undefined {
    const target = this.targets.get(name);
    if (!target || keep) return undefined;
    return (async () => {
      const { backend } = weight;
      const lost = noGrad(backend, () => scope(backend, () => sub(weight, dequantize(quantize(weight, this.format)))));
      const svd = exactSvd({ values: await lost.read(), rows, columns }, target.rank);
      lost.dispose();
      this.starts.set(name, halves(svd, target, rows));
      return scope(backend, () => scale(weight, 1));
    })();
  }
}

/** A = √(σ/s)·v and B = u·√(σ/s), so that s·B·A is what was decomposed. */
export function halves({ u, values, v }: TruncatedSvd, { rank, scale: s }: LoraTarget, rows: number): Matrices {
  const columns = v.length / rank;
  const roots = values.map((value) => Math.sqrt(value / s));
  return {
    a: Float32Array.from(v, (x, i) => x * roots[Math.floor(i / columns)]!),
    b: Float32Array.from({ length: rows * rank }, (_, i) => u[(i % rank) * rows + Math.floor(i / rank)]! * roots[i % rank]!),
  };
}

/** W − s·B·A */
function without(weight: Tensor, { a, b }: Matrices, { rank, scale: s }: LoraTarget): Tensor {
  const { backend, shape } = weight;
  return noGrad(backend, () =>
    scope(backend, () => sub(weight, scale(matmul(tensor(backend, b, [shape[0]!, rank]), tensor(backend, a, [rank, shape[1]!])), s))),
  );
}
