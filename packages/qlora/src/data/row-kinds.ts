// The kinds of data row, told apart by their keys alone, and the nearest kind for keys that fit none.
import { nearestName } from "../nearest-name.ts";

/** What a row is: a conversation, a prompt and its answer, an instruction and its answer, plain text, or ids. */
export type RowKind = "messages" | "completion" | "instruction" | "text" | "tokens";

/** The keys a row of each kind must have. Further keys do not disturb. */
export const ROW_KEYS = {
  messages: ["messages"],
  completion: ["prompt", "completion"],
  instruction: ["instruction", "output"],
  text: ["text"],
  tokens: ["input_ids", "labels"],
} as const satisfies Record<RowKind, readonly string[]>;

/** A row of each kind, for messages. */
export const ROW_FORMS: Readonly<Record<RowKind, string>> = {
  messages: '{"messages":[{"role":"user","content":"…"},{"role":"assistant","content":"…"}]}',
  completion: '{"prompt":"…","completion":"…"}',
  instruction: '{"instruction":"…","input":"…","output":"…"}',
  text: '{"text":"…"}',
  tokens: '{"input_ids":[1,2,3],"labels":[-100,2,3]}',
};

const KINDS = Object.keys(ROW_KEYS) as RowKind[];

/** All kinds on one line, for messages. */
export const KNOWN_ROWS = "messages · prompt + completion · instruction (+ input) + output · text · input_ids + labels";

/** The first kind whose keys are all there, or undefined. Order matters: Alpaca rows carry a `text` as well. */
export const kindOf = (keys: readonly string[]): RowKind | undefined =>
  KINDS.find((kind) => ROW_KEYS[kind].every((key) => keys.includes(key)));

/** A key that is missing, and the given key that looks like a misspelling of it, if one does. */
export interface MissingKey {
  readonly key: string;
  readonly like: string | undefined;
}

/** The kind that keys come nearest to, and what is missing for it; undefined if they come near none. */
export function nearestKind(keys: readonly string[]): { readonly kind: RowKind; readonly missing: readonly MissingKey[] } | undefined {
  const candidates = KINDS.map((kind) => {
    const wanted: readonly string[] = ROW_KEYS[kind];
    const free = keys.filter((key) => !wanted.includes(key));
    const missing = wanted.filter((key) => !keys.includes(key)).map((key) => ({ key, like: nearestName(key, free) }));
    const fit = (wanted.length - missing.length + missing.filter(({ like }) => like !== undefined).length * 0.9) / wanted.length;
    return { kind, missing, fit };
  });
  const best = candidates.reduce((best, candidate) => (candidate.fit > best.fit ? candidate : best));
  return best.fit > 0 ? best : undefined;
}
