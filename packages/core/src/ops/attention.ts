// Causal attention, fused: the matrix of scores is never kept (Dao et al. 2022, "FlashAttention"); its rows' logarithms of sums are enough to go back.
import { ArgumentError, DTypeError, ShapeError } from "../error.ts";
import { applyAll, defineOp, together } from "../op.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** How scores are made: their scale, cap, window and mask. */
export interface AttentionAttrs {
  /** What scores are multiplied by, 1/√D mostly. */
  readonly scale: number;
  /** Position of the first query among the keys: 0 in training, the number of cached keys in generation. */
  readonly offset: number;
  /** How many keys a query sees at most, itself and those just before it (Beltagy et al. 2020, "Longformer"); null: all from its row's start. */
  readonly window: number | null;
  /** Scores s become softcap·tanh(s / softcap) before the mask (Gemma 2's `attn_logit_softcapping`); null: they stay as they are. */
  readonly softcap: number | null;
}
/** `window` and `softcap` are null where left out. */
export type AttentionOptions = Pick<AttentionAttrs, "scale" | "offset"> & Partial<AttentionAttrs>;
type Inputs = readonly [q: Tensor, k: Tensor, v: Tensor, starts: Tensor];

function checkAttrs({ window, softcap }: AttentionAttrs): void {
  if (window !== null && !(Number.isSafeInteger(window) && window > 0))
    throw new ArgumentError("attention", "window", window, `a window of ${window} keys has none. Give a whole number from 1 on, or null.`);
  if (softcap !== null && !(Number.isFinite(softcap) && softcap > 0))
    throw new ArgumentError("attention", "softcap", softcap, `scores cannot be capped at ${softcap}. Give a number above 0, or null.`);
}

function checkInputs([q, k, v, starts]: Inputs, { offset }: AttentionAttrs): void {
  const shapes = [q.shape, k.shape, v.shape, starts.shape];
  if ([q, k, v].some((t) => t.dtype !== "f32") || starts.dtype !== "i32")
    throw new DTypeError(
      "attention",
      [q.dtype, k.dtype, v.dtype, starts.dtype],
      `takes f32 q, k, v and i32 starts, not ${q.dtype}, ${k.dtype}, ${v.dtype}, ${starts.dtype}.`,
    );
  if (q.shape.length !== 4 || k.shape.length !== 4)
    throw new ShapeError("attention", shapes, `q ${show(q.shape)} and k ${show(k.shape)} are not [batch, time, heads, head size].`);
  const [b, t, h, d] = q.shape as [number, number, number, number];
  const [kb, s, g, kd] = k.shape as [number, number, number, number];
  if (!sameShape(k.shape, v.shape)) throw new ShapeError("attention", shapes, `k ${show(k.shape)} and v ${show(v.shape)} differ.`);
  if (kb !== b || kd !== d)
    throw new ShapeError("attention", shapes, `q ${show(q.shape)} and k ${show(k.shape)} differ in batch or head size.`);
  if (g === 0 || h % g !== 0) throw new ShapeError("attention", shapes, `${h} query heads do not share ${g} key heads evenly.`);
  if (!sameShape(starts.shape, [b]))
    throw new ShapeError("attention", shapes, `starts ${show(starts.shape)} are not one a row of the batch, [${b}].`);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + t > s)
    throw new ArgumentError("attention", "offset", offset, `${t} queries from position ${offset} on go beyond the ${s} keys.`);
}

// q [B, T, H, D], k and v [B, S, G, D] (query head h reads key head ⌊h·G/H⌋), starts i32 [B]. With z = s = scale·q[t]·k[j], or softcap·tanh(s / softcap),
// and j from starts[b], but no earlier than offset + t + 1 − window, to offset + t:
//   p[t, j] = e^(z[t, j] − L[t])     L[t] = ln Σ_j e^z[t, j]     y[t] = Σ_j p[t, j]·v[j]
// → y [B, T, H, D], L [B, H, T]. A query before its row's start sees no key: y = 0, L = −∞.
export const attentionOp = defineOp({
  name: "attention",
  infer: (inputs: Inputs, attrs: AttentionAttrs) => {
    checkInputs(inputs, attrs);
    checkAttrs(attrs);
    const [{ shape }] = inputs;
    return [
      { shape, dtype: "f32" },
      { shape: [shape[0]!, shape[2]!, shape[1]!], dtype: "f32" },
    ] as const;
  },
  saves: [0, 1, 2, 3],
  savesOutputs: [0, 1],
  dear: () => true, // as much to keep as one product of the layer, and the work of two
  vjp: ({ inputs: [q, k, v, starts], outputs, attrs, grad }) => {
    const slot = together(() => applyAll(attentionBackwardOp, [q, k, v, starts, outputs[0]!, outputs[1]!, grad], attrs));
    return [slot(0), slot(1), slot(2), null];
  },
});
// δ[t] = dy[t]·y[t]     dp = dy[t]·v[j]     ds = p·(dp − δ), times 1 − (z / softcap)² where scores are capped
// dq[t] = scale·Σ_j ds·k[j]     dk[j] = scale·Σ_t ds·q[t]     dv[j] = Σ_t p·dy[t]
// dk and dv sum over the query heads that share a key head.
export const attentionBackwardOp = defineOp({
  name: "attentionBackward",
  infer: ([q, k, v]: readonly [q: Tensor, k: Tensor, v: Tensor, starts: Tensor, y: Tensor, l: Tensor, dy: Tensor], _: AttentionAttrs) => [
    { shape: q.shape, dtype: "f32" },
    { shape: k.shape, dtype: "f32" },
    { shape: v.shape, dtype: "f32" },
  ],
});

/**
 * Causal attention of q [B, T, H, D] over k and v [B, S, G, D]: query t of row b sees keys starts[b] … offset + t, of these only the last `window` where
 * there is one. G divides H (grouped queries). A query before its row's start sees no key, and gives 0.
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, options: AttentionOptions): Tensor {
  const { scale, offset, window = null, softcap = null } = options;
  const attrs = { scale, offset, window, softcap };
  const [y, l] = applyAll(attentionOp, [q, k, v, starts], attrs) as [Tensor, Tensor];
  l.dispose();
  return y;
}
