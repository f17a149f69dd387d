// T5 (Raffel et al. 2020): an encoder reads the whole source, a decoder answers it. Positions are biases on scores, by distance; one table a stack.
import { add, type Backend, checkpoint, embedding, permute, reshape, scale, scope, type Tensor, tensor } from "@qlora-js/core";
import type { T5Config } from "../config/t5-config.ts";
import type { T5Stack } from "../config/t5-parts.ts";
import type { Batch, SourceRows } from "../data/batch.ts";
import type { ForwardPass, Recomputation } from "../nn/forward-pass.ts";
import type { Norm } from "../nn/norm.ts";
import { relativeBucket } from "../nn/relative-positions.ts";
import type { TensorSlot } from "../nn/tensor-slot.ts";
import { type Generation, LanguageModel, type Parts } from "./language-model.ts";
import type { T5DecoderBlock, T5EncoderBlock } from "./t5-block.ts";
import { T5Generation } from "./t5-generation.ts";

/** Added to scores that must not count: e to it is 0 beside any other score. */
const MASKED = -1e9;

export interface T5Inside {
  /** [vocabulary, hidden], f32 or 16-bit; both stacks read it. */
  readonly embedding: Tensor;
  readonly head: TensorSlot;
  readonly encoder: readonly T5EncoderBlock[];
  readonly decoder: readonly T5DecoderBlock[];
  readonly encoderNorm: Norm;
  readonly decoderNorm: Norm;
  /** f32 [buckets, heads] */
  readonly distances: Readonly<Record<T5Stack, Tensor>>;
}

/** What the decoder sees of the source. */
export interface EncodedSource {
  /** f32 [B, S, hidden] */
  readonly hidden: Tensor;
  /** f32 [B, 1, 1, S] */
  readonly mask: Tensor;
}

/** T5 (Raffel et al. 2020): an encoder reads the whole source, a decoder answers it. */
export class T5 extends LanguageModel {
  constructor(
    backend: Backend,
    readonly config: T5Config,
    parts: Parts,
    slots: ReadonlyMap<string, TensorSlot>,
    readonly inside: T5Inside,
  ) {
    super(backend, parts, slots);
  }

  get head(): Tensor {
    return this.inside.head.tensor;
  }

  hidden({ inputIds, batch, length, source }: Pick<Batch, "inputIds" | "batch" | "length" | "source">, pass: ForwardPass): Tensor {
    if (!source) throw new TypeError("T5: a batch without sources. Its rows need a source and a target.");
    return scope(this.backend, () => {
      const encoded = this.encode(source, batch, pass);
      const selfBias = add(this.distanceBias("decoder", 0, length, length), this.#causal(length));
      let x = embedding(tensor(this.backend, inputIds, [batch, length], "i32"), this.inside.embedding);
      this.inside.decoder.forEach((block, i) => {
        x = this.#run(
          pass.recompute?.[this.config.encoderLayers + i],
          [x, selfBias, encoded.hidden, encoded.mask],
          (x, selfBias, hidden, mask) =>
            block.forward(x, { selfBias, crossBias: mask, own: (own) => own, cross: (attention) => attention.project(hidden, pass) }, pass),
        );
      });
      return this.finish(x);
    });
  }

  /** The encoder's output. Call within a scope. */
  encode({ inputIds, length, lengths }: SourceRows, batch: number, pass: ForwardPass): EncodedSource {
    const { backend } = this;
    const seen = lengths.flatMap((count) => Array.from({ length }, (_, s) => (s < count ? 0 : MASKED)));
    const mask = tensor(backend, seen, [batch, 1, 1, length]);
    const bias = add(this.distanceBias("encoder", 0, length, length), mask);
    let x = embedding(tensor(backend, inputIds, [batch, length], "i32"), this.inside.embedding);
    this.inside.encoder.forEach((block, i) => {
      x = this.#run(pass.recompute?.[i], [x, bias], (x, bias) => block.forward(x, bias, pass));
    });
    return { hidden: this.inside.encoderNorm.forward(x), mask };
  }

  /** What the head is applied to: the decoder's output normed, and scaled where the head is tied. */
  finish(x: Tensor): Tensor {
    const normed = this.inside.decoderNorm.forward(x);
    return this.config.outputScale === 1 ? normed : scale(normed, this.config.outputScale);
  }

  /** Biases of `time` queries from position `first` on, over `keys` keys: f32 [1, heads, time, keys]. */
  distanceBias(stack: T5Stack, first: number, time: number, keys: number): Tensor {
    const { buckets, maxDistance, heads } = this.config;
    const options = { buckets, maxDistance, bothWays: stack === "encoder" };
    const ids = Array.from({ length: time * keys }, (_, i) => relativeBucket((i % keys) - first - Math.floor(i / keys), options));
    const rows = embedding(tensor(this.backend, ids, [time, keys], "i32"), this.inside.distances[stack]);
    return reshape(permute(rows, [2, 0, 1]), [1, heads, time, keys]);
  }

  generation(prompt: readonly number[], newTokens: number): Generation {
    return new T5Generation(this, prompt, newTokens);
  }

  #causal(time: number): Tensor {
    const later = Array.from({ length: time * time }, (_, i) => (i % time > Math.floor(i / time) ? MASKED : 0));
    return tensor(this.backend, later, [1, 1, time, time]);
  }

  /** A layer; what it reads besides its parameters goes through the inputs, so that a checkpoint holds it. */
  #run<I extends readonly [Tensor, ...Tensor[]]>(recompute: Recomputation | undefined, inputs: I, run: (...inputs: I) => Tensor): Tensor {
    if (recompute === undefined || recompute === "nothing") return scope(this.backend, () => run(...inputs));
    return checkpoint(run, inputs, { keepProducts: recompute === "cheap" });
  }
}
