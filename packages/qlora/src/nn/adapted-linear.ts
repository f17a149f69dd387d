// A linear layer with an adapter's branch around another one. Several may be around each other; each has its adapter's share in what is computed.
import type { Tensor } from "@qlora-js/core";
import type { ForwardContext, Linear } from "./linear.ts";
import { WeightedLinear } from "./weighted-linear.ts";

/** How much of an adapter there is in what is computed: 1 all of it, 0 none. One value for all its layers, changed between calls. */
export interface Share {
  weight: number;
}

/** What a branch computes by. */
export interface AdaptedOptions {
  /** What the low-rank branch is multiplied by: alpha / rank, or alpha / √rank. */
  readonly scale: number;
  /** The share of the branch's inputs that is dropped in training. */
  readonly dropout: number;
  /** Tells this layer's dropout masks from those of others. */
  readonly site: number;
  /** 1 where left out. */
  readonly share?: Share;
}

/** A linear layer with a branch beside another one, which it does not look into. */
export abstract class AdaptedLinear implements Linear {
  readonly outFeatures: number;
  readonly inFeatures: number;

  constructor(
    public base: Linear,
    /** [rank, in] */
    readonly a: Tensor,
    /** [out, rank] */
    readonly b: Tensor,
    readonly options: AdaptedOptions,
  ) {
    this.outFeatures = base.outFeatures;
    this.inFeatures = base.inFeatures;
  }

  get frozenBytes(): number {
    return this.base.frozenBytes;
  }

  /** How much of the branch is in what is computed. */
  get share(): number {
    return this.options.share?.weight ?? 1;
  }

  abstract forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor;

  /** Everything that is trained, in the order it is trained in. */
  trained(): Tensor[] {
    return [this.a, this.b];
  }

  /** Frees what is its own; the base lives on. */
  detach(): Linear {
    for (const t of this.trained()) t.dispose();
    return this.base;
  }

  /** Frees the branch and the layer it is beside. */
  dispose(): void {
    this.detach();
    this.base.dispose();
  }
}

/** The frozen layer inside all adapters, or null if it is of another kind. */
export function frozenLinear(linear: Linear): WeightedLinear | null {
  let inner = linear;
  while (inner instanceof AdaptedLinear) inner = inner.base;
  return inner instanceof WeightedLinear ? inner : null;
}
