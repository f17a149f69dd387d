// A value of a GGUF file's metadata, with the type it is stored in. Only the types that are written; nothing is encoded here.

export type GgufScalar =
  | { readonly type: "uint32"; readonly value: number }
  | { readonly type: "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string };

export type GgufList =
  | { readonly type: "int32s"; readonly values: readonly number[] }
  | { readonly type: "float32s"; readonly values: readonly number[] }
  | { readonly type: "bools"; readonly values: readonly boolean[] }
  | { readonly type: "strings"; readonly values: readonly string[] };

export type GgufValue = GgufScalar | GgufList;

/** Metadata by key, in the order it is written. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
export const float32 = (value: number): GgufValue => ({ type: "float32", value });
export const bool = (value: boolean): GgufValue => ({ type: "bool", value });
export const string = (value: string): GgufValue => ({ type: "string", value });
export const int32s = (values: readonly number[]): GgufValue => ({ type: "int32s", values });
export const float32s = (values: readonly number[]): GgufValue => ({ type: "float32s", values });
export const bools = (values: readonly boolean[]): GgufValue => ({ type: "bools", values });
export const strings = (values: readonly string[]): GgufValue => ({ type: "strings", values });
