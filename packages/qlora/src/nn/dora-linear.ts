// DoRA (Liu et al. 2024), as PEFT 0.21 computes it (tuners/lora/dora.py): each row of W + s·B·A is brought to a trained length.
import {
  add,
  addmm,
  addScalar,
  div,
  dropout,
  fold,
  matmul,
  maximum,
  mul,
  noGrad,
  parameter,
  scale,
  scope,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@qlora-js/core";
import { AdaptedLinear, type AdaptedOptions, frozenLinear } from "./adapted-linear.ts";
import type { ForwardContext, Linear } from "./linear.ts";
import type { WeightedLinear } from "./weighted-linear.ts";

/** Below it a squared length counts as this, so that a row of zeros stays zeros. */
const SMALLEST = 1e-30;

// n[j] = ‖W[j] + s·(B·A)[j]‖, a constant to the gradient      g = m / n
// without dropout   y = g ⊙ (W·x + s·B·A·x) + bias
// with it           y = W·x + (g − 1) ⊙ W·d(x) + g ⊙ s·B·A·d(x) + bias
/** A [rank, in], B [out, rank] and m [out] are f32 parameters. The base's weight may be dense or 4-bit; it is widened once, when the layer is made. */
export class DoraLinear extends AdaptedLinear {
  readonly #frozen: WeightedLinear;
  /** ‖W[j]‖², [out]. */
  readonly #squares: Tensor;
  /** m, the length of each row, [out]. */
  readonly magnitude: Tensor;

  /**
   * @param magnitude [out]; null begins with the lengths that rows have, so that nothing changes
   * @throws TypeError over a layer without a weight of its own
   */
  constructor(base: Linear, a: Tensor, b: Tensor, magnitude: Tensor | null, options: AdaptedOptions) {
    super(base, a, b, options);
    const frozen = frozenLinear(base);
    if (!frozen) throw new TypeError("DoraLinear: the base has no weight whose rows could be measured.");
    this.#frozen = frozen;
    this.#squares = noGrad(a.backend, () => scope(a.backend, () => sum(square(frozen.wide()), { axis: 1 })));
    this.magnitude = magnitude ?? scope(a.backend, () => parameter(this.#norm()));
  }

  override get frozenBytes(): number {
    return this.base.frozenBytes + this.#squares.storage.byteLength;
  }

  forward(x: Tensor, context: ForwardContext, addend?: Tensor): Tensor {
    if (this.share === 0) return this.base.forward(x, context, addend);
    const { dropoutKey, cache } = context;
    const { dropout: rate, site } = this.options;
    const norm = cache ? cache.once(this, () => this.#norm()) : this.#norm();
    const length = div(this.magnitude, norm);
    if (!dropoutKey || rate === 0) return this.#withBias(mul(this.#frozen.product(x, this.#low(x)), length), addend);
    const seen = dropout(x, rate, fold(dropoutKey, site));
    const turned = add(mul(this.#frozen.product(seen), addScalar(length, -1)), mul(this.#low(seen), length));
    return this.#withBias(this.#frozen.product(x, turned), addend);
  }

  /** s·B·A·x */
  #low(x: Tensor): Tensor {
    const { a, b, options } = this;
    return matmul(scale(matmul(x, a, { transposeB: true }), options.scale), b, { transposeB: true });
  }

  #withBias(y: Tensor, addend: Tensor | undefined): Tensor {
    const { bias } = this.#frozen;
    const sum = addend ? add(addend, y) : y;
    return bias ? add(sum, bias) : sum;
  }

  // ‖w + s·b·A‖² = ‖w‖² + 2s·(W·Aᵀ)·b + s²·b·(A·Aᵀ)·b, row by row: the 4-bit weight is read by its own product, with A's rows for inputs, and never widened.
  #norm(): Tensor {
    const { a, b, options } = this;
    const { backend } = a;
    return noGrad(backend, () =>
      scope(backend, () => {
        const across = scale(transpose(this.#frozen.product(a)), 2 * options.scale);
        const both = addmm(across, b, scale(matmul(a, a, { transposeB: true }), options.scale ** 2));
        const squares = add(this.#squares, sum(mul(both, b), { axis: 1 }));
        return sqrt(maximum(squares, tensor(backend, [SMALLEST], [])));
      }),
    );
  }

  override trained(): Tensor[] {
    return [...super.trained(), this.magnitude];
  }

  override detach(): Linear {
    this.#squares.dispose();
    return super.detach();
  }
}
