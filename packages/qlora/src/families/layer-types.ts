// Which layers see a window only: `layer_types` where the file lists them, else by the family's own rule.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { UsageError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";

export const layerTypes = z.nullish(z.array(z.string()).check(z.maxLength(4096)));

export interface WindowOptions {
  readonly layers: number;
  /** Keys a sliding layer's query sees; null if there is no window. */
  readonly window: number | null;
  readonly given: readonly string[] | null | undefined;
  /** Whether layer i slides where the file does not say. */
  readonly slides: (layer: number) => boolean;
}

/** The window of each layer, null for all keys. @throws UsageError, FormatError */
export function layerWindows(file: string, { layers, window, given, slides }: WindowOptions): (number | null)[] {
  if (given && given.length < layers) throw new FormatError(file, `layer_types has ${given.length} entries for ${layers} layers.`);
  return Array.from({ length: layers }, (_, i) => {
    const type = given?.[i];
    if (type !== undefined && type !== "full_attention" && type !== "sliding_attention")
      throw new UsageError(file, `layer_types ${quoted(type)} is not supported. full_attention and sliding_attention are.`, {
        value: type,
      });
    return (type ? type === "sliding_attention" : slides(i)) ? window : null;
  });
}
