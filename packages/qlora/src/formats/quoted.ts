// Names and values out of a file, as a message shows them: quoted, cut short, and without anything a terminal would act upon.

const LONGEST = 120;

/** Controls that JSON leaves alone: DEL and C1 (terminal escapes), and marks that reorder text. */
const HIDDEN = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A value as JSON, at most 120 characters of it. */
export function quoted(value: unknown): string {
  const short = typeof value === "string" && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  const text = typeof short === "number" ? String(short) : written(short);
  const safe = text.replace(HIDDEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return safe.length > 2 * LONGEST ? `${safe.slice(0, 2 * LONGEST)}…` : safe;
}

/** What is nested a million times can be parsed, but not written again. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Array.isArray(value) ? "[…]" : "{…}";
  }
}
