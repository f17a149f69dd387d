// Full fine-tuning over 16-bit weights: what QLoRA is compared with, and only that. Every weight is a 16-bit parameter that is widened where it is used, its
// gradient comes back in 16 bits, and the moments are f32: 2 + 2 + 8 bytes a weight, the paper's arithmetic. It runs on any device, the counting one too.
import { adamW, add, addmm, cast, crossEntropy, indexSelect, matmul, reshape, scope, Tensor, tensor } from "@qlora-js/core";
import { modelParts } from "../config/model-parts.ts";
import type { Batch } from "../data/batch.ts";
import { buildModel } from "../models/build-model.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { logits } from "../models/logits.ts";
import { DenseLinear } from "../nn/dense-linear.ts";
import type { ForwardPass } from "../nn/forward-pass.ts";
import type { ForwardContext, Linear } from "../nn/linear.ts";
import { LinearSlot } from "../nn/linear-slot.ts";
import { ADAMW_DEFAULTS } from "../optimizer/paged-adamw.ts";
import { supervisedRows } from "../train/supervised-rows.ts";

/** A linear layer over a weight that is trained: widened in each pass, so that within a checkpoint no f32 copy stays. */
class WidenedLinear implements Linear {
  readonly frozenBytes = 0;
  constructor(
    readonly outFeatures: number,
    readonly inFeatures: number,
    readonly weight: Tensor,
    readonly bias: Tensor | null,
  ) {}

  forward(x: Tensor, _: ForwardContext, addend?: Tensor): Tensor {
    const wide = cast(this.weight, "f32");
    const start = this.bias && addend ? add(addend, this.bias) : (addend ?? this.bias);
    return start ? addmm(start, x, wide, { transposeB: true }) : matmul(x, wide, { transposeB: true });
  }

  /** The weights are FullFineTuning's. */
  dispose(): void {}
}

/** AdamW's running means of a parameter's gradient and of its square. */
export interface Moments {
  readonly m: Tensor;
  readonly v: Tensor;
}

export class FullFineTuning {
  readonly #parameters = new Map<Tensor, Tensor>();
  readonly #parts = new Map<string, LinearSlot | Tensor>();

  /** @param model over plain weights, embeddings and linear layers in 16 bits or f32 */
  constructor(readonly model: LanguageModel) {
    for (const [name, part] of model.parts)
      this.#parts.set(name, part instanceof LinearSlot ? new LinearSlot(name, this.#widened(part.linear)) : this.#parameter(part));
  }

  get parameters(): Tensor[] {
    return [...this.#parameters.values()];
  }

  /** The cross-entropy of every supervised token: f32 [supervised]. The head is trained, so logits are whole. Call within a scope. */
  losses(batch: Batch, pass: ForwardPass): Tensor {
    const { backend, config } = this.model;
    const tables = new Set(modelParts(config).flatMap(({ kind, name }) => (kind === "embedding" || kind === "head" ? [name] : [])));
    const widened = [...this.#parts].map(([name, part]) => [name, tables.has(name) ? cast(part as Tensor, "f32") : part] as const);
    const model = buildModel(backend, config, new Map(widened));
    const { rows, targets } = supervisedRows(batch);
    const hidden = reshape(model.hidden(batch, pass), [-1, config.hiddenSize]);
    const picked = indexSelect(hidden, tensor(backend, rows, [rows.length], "i32"));
    return crossEntropy(logits(model, picked), tensor(backend, targets, [targets.length], "i32"));
  }

  /** One update, the first, in place; a weight is widened while it is its turn, and rounded back. Moments are f32, of the parameters' shapes. */
  update(grads: readonly Tensor[], moments: readonly Moments[], gradScale: Tensor, learningRate: number): void {
    const { backend } = this.model;
    this.parameters.forEach((p, i) => {
      scope(backend, () => {
        const wide = cast(p.detach(), "f32");
        const { m, v } = moments[i]!;
        adamW(wide, m, v, cast(grads[i]!, "f32"), gradScale, { ...ADAMW_DEFAULTS, learningRate, step: 1 });
        if (p.dtype !== "f32") backend.run("cast", wide.views(), p.views(), { dtype: p.dtype });
      });
    });
  }

  /** Lets go of the parameters; the model stays. */
  dispose(): void {
    for (const p of this.#parameters.values()) p.dispose();
    this.#parameters.clear();
  }

  /** A handle on the same values that gradients are asked for, in the values' own type. */
  #parameter(x: Tensor): Tensor {
    const made = this.#parameters.get(x) ?? new Tensor(x.storage.retain(), x.shape, x.dtype, { node: null, index: 0 });
    this.#parameters.set(x, made);
    return made;
  }

  #widened(linear: Linear): Linear {
    if (!(linear instanceof DenseLinear))
      throw new TypeError("FullFineTuning: a layer is quantized or adapted. Load the model with no format.");
    return new WidenedLinear(
      linear.outFeatures,
      linear.inFeatures,
      this.#parameter(linear.weight),
      linear.bias && this.#parameter(linear.bias),
    );
  }
}
