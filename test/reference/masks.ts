// masks.json.gz as make_masks.py wrote it: conversations as chat templates render them, and which of their tokens TRL puts the loss on.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { ChatMessage } from "@qlora-js/qlora";

/** A conversation under one template. */
export interface MaskCase {
  readonly messages: readonly ChatMessage[];
  /** By the template that marks what the assistant says; null where it refuses the conversation. */
  readonly marked: { readonly text: string; readonly ids: number[]; readonly mask: number[] } | null;
  /** By the template as models ship it. */
  readonly plain: { readonly text: string; readonly ids: number[] } | null;
  /** For turns of the assistant: its index, the ids through it, and where TRL's completion begins. */
  readonly completions: readonly { readonly turn: number; readonly ids: number[]; readonly begin: number }[];
}

/** A template, both ways, and all conversations under it. */
export interface MaskTemplate {
  /** Its tokenizer, by name in tokenizers.json.gz. */
  readonly kind: string;
  readonly plain: string;
  readonly marked: string;
  readonly cases: readonly MaskCase[];
}

/** The reference, parsed. */
export const MASKS = JSON.parse(gunzipSync(readFileSync(new URL("masks.json.gz", import.meta.url))).toString("utf8")) as Readonly<
  Record<string, MaskTemplate>
>;
