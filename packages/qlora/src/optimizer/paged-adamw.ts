// AdamW whose moments are pages: 32-bit as PyTorch's, or 8-bit blockwise as bitsandbytes'. Parameters and gradients stay on the device; the moments,
// two to eight bytes a parameter, come and go under the pager's budget.
import {
  type AdamWAttrs,
  ArgumentError,
  adamW,
  adamW8bit,
  MOMENT_BLOCK,
  type Page,
  type Pager,
  SMALLEST_8BIT,
  type Spec,
  sizeOf,
  type Tensor,
} from "@qlora-js/core";

/** The numbers of AdamW, and the bits of its moments. */
export interface AdamWOptions {
  readonly bits: 32 | 8;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** PyTorch's defaults, but no weight decay: on A and B it would pull towards the base model (QLoRA uses none). */
export const ADAMW_DEFAULTS: AdamWOptions = { bits: 32, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

interface Slot {
  readonly parameter: Tensor;
  readonly page: Page;
  readonly bits: 32 | 8;
}

/** AdamW whose moments are pages: they come to the device when used, under the budget of a pager. */
export class PagedAdamW {
  readonly #slots: ReadonlyMap<string, Slot>;
  /** Updates done. */
  steps = 0;

  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    readonly pager: Pager,
    readonly options: AdamWOptions = ADAMW_DEFAULTS,
  ) {
    this.#slots = new Map(
      [...parameters].map(([name, parameter]) => {
        const bits = options.bits === 8 && sizeOf(parameter.shape) >= SMALLEST_8BIT ? 8 : 32;
        return [name, { parameter, bits, page: pager.add(stateSpecs(parameter, bits)) }];
      }),
    );
  }

  /** Bytes of all moments, wherever they are. */
  get stateBytes(): number {
    return [...this.#slots.values()].reduce((n, { page }) => n + page.byteLength, 0);
  }

  /**
   * One update.
   * @param grads in the order of the parameters
   * @param gradScale scalar tensor that every gradient is multiplied by: clipping
   * @throws ArgumentError if the gradients are not one a parameter
   */
  async step(grads: readonly Tensor[], gradScale: Tensor, learningRate: number): Promise<void> {
    const slots = [...this.#slots.values()];
    if (grads.length !== slots.length)
      throw new ArgumentError("PagedAdamW", "grads", grads.length, `${grads.length} gradients for ${slots.length} parameters.`);
    this.steps++;
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    const attrs: AdamWAttrs = { learningRate, beta1, beta2, epsilon, weightDecay, step: this.steps };
    for (const [i, { parameter, page, bits }] of slots.entries()) {
      await this.pager.use(page, (state) => update(parameter, state, bits, grads[i]!, gradScale, attrs), slots[i + 1]?.page);
    }
  }

  /** The parameters' names, in their order. */
  names(): Iterable<string> {
    return this.#slots.keys();
  }

  /** The bytes of one of a parameter's moments, for a saved run. @throws ArgumentError for a name that is not a parameter's */
  async stateOf(name: string, part: number): Promise<Uint8Array> {
    return (await this.pager.bytes(this.#slot(name).page))[part]!;
  }

  /** What the moments of a parameter are made of, part by part. @throws ArgumentError for a name that is not a parameter's */
  specs(name: string): readonly Spec[] {
    return this.#slot(name).page.specs;
  }

  /** Goes on from a saved run. @throws ArgumentError if a name or size does not fit */
  load(steps: number, state: ReadonlyMap<string, readonly Uint8Array[]>): void {
    for (const [name, bytes] of state) this.pager.load(this.#slot(name).page, bytes);
    this.steps = steps;
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name);
    if (!slot) throw new ArgumentError("PagedAdamW", "state", name, `there is no parameter "${name}".`);
    return slot;
  }
}

function stateSpecs({ shape }: Tensor, bits: 32 | 8): Spec[] {
  if (bits === 32)
    return [
      { shape, dtype: "f32" },
      { shape, dtype: "f32" },
    ];
  const blocks = [Math.ceil(sizeOf(shape) / MOMENT_BLOCK)];
  return [
    { shape, dtype: "u8" },
    { shape, dtype: "u8" },
    { shape: blocks, dtype: "f32" },
    { shape: blocks, dtype: "f32" },
  ];
}

function update(parameter: Tensor, state: readonly Tensor[], bits: 32 | 8, grad: Tensor, gradScale: Tensor, attrs: AdamWAttrs): void {
  if (bits === 32) {
    const [m, v] = state as [Tensor, Tensor];
    adamW(parameter, m, v, grad, gradScale, attrs);
  } else {
    const [m, v, mMax, vMax] = state as [Tensor, Tensor, Tensor, Tensor];
    adamW8bit(parameter, { m, v, mMax, vMax }, grad, gradScale, attrs);
  }
}
