// JSON from outside as tests damage it: any value at any place, or none.
import fc from "fast-check";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a JSON value, as the keys to it. */
const places = (json: Json, at: readonly string[] = []): (readonly string[])[] =>
  typeof json !== "object" || json === null
    ? [at]
    : [at, ...Object.keys(json).flatMap((key) => places((json as Record<string, Json>)[key]!, [...at, key]))];

/** The value with another at one place, or with that place left out. */
function changed(json: Json, place: readonly string[], value: Json | undefined): Json {
  const [key, ...rest] = place;
  if (key === undefined) return value ?? null;
  const copy = (Array.isArray(json) ? [...json] : { ...(json as object) }) as Record<string, Json>;
  if (rest.length === 0 && value === undefined) delete copy[key];
  else copy[key] = changed(copy[key] as Json, rest, value);
  return copy;
}

const odd = fc.oneof(
  fc.constantFrom<Json>(
    -1,
    1e9,
    2 ** 31,
    2 ** 53,
    1e308,
    0.5,
    "",
    "a",
    "BPE",
    "Sequence",
    "Regex",
    "\\",
    "[",
    "(?<",
    "(((",
    "(a*)*b",
    "../model.safetensors",
    "\\p{Q}",
    "__proto__",
    "\ud800",
  ),
  fc.constantFrom<Json>(
    [],
    {},
    [[]],
    [null],
    { type: "Sequence" },
    { String: "" },
    { Regex: "[" },
    { Regex: "" },
    { Regex: "(?:x+x+)+y|(a|b?)+" },
    { __proto__: null },
    { toString: 1 },
  ),
  fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json),
);

/** The value with one to three changes. */
export const damaged = (sound: Json): fc.Arbitrary<Json> =>
  fc.array(fc.tuple(fc.nat(10_000), fc.option(odd, { nil: undefined })), { minLength: 1, maxLength: 3 }).map((changes) => {
    let json = sound;
    for (const [nth, value] of changes) {
      const all = places(json);
      json = changed(json, all[nth % all.length]!, value);
    }
    return json;
  });
