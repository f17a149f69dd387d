import { ArgumentError, DTypeError, ShapeError } from "../error.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { applyUpdate, defineUpdate } from "../update.ts";

// cache[b, start + t, …] ← rows[b, t, …]: cache f32 [B, S, ...rest], rows f32 [B, T, ...rest]
export const writeRowsUpdate = defineUpdate({
  name: "writeRows",
  check: ([cache]: readonly [Tensor], [rows]: readonly [Tensor], { start }: { readonly start: number }) => {
    if (cache.dtype !== "f32" || rows.dtype !== "f32")
      throw new DTypeError("writeRows", [cache.dtype, rows.dtype], `writes f32 into f32, not ${rows.dtype} into ${cache.dtype}.`);
    const rest = (t: Tensor): number[] => [t.shape[0]!, ...t.shape.slice(2)];
    if (cache.shape.length < 2 || rows.shape.length !== cache.shape.length || !sameShape(rest(cache), rest(rows)))
      throw new ShapeError("writeRows", [cache.shape, rows.shape], `rows ${show(rows.shape)} do not fit the cache ${show(cache.shape)}.`);
    if (!Number.isSafeInteger(start) || start < 0 || start + rows.shape[1]! > cache.shape[1]!)
      throw new ArgumentError(
        "writeRows",
        "start",
        start,
        `${rows.shape[1]} rows from ${start} on go beyond the cache's ${cache.shape[1]}.`,
      );
  },
});

/** Writes rows [B, T, ...] into cache [B, S, ...] from position `start` of its second axis on: keys and values of generation. @throws ShapeError, DTypeError, ArgumentError */
export const writeRows = (cache: Tensor, rows: Tensor, start: number): void => applyUpdate(writeRowsUpdate, [cache], [rows], { start });
