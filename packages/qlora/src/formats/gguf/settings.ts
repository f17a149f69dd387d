// The metadata of a model by name and kind, with errors that say what a file lacks. Names are those of the architecture: `size("block_count")` is
// `llama.block_count` in a file of Llama's.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import type { GgufFile } from "./gguf-file.ts";
import { type MetadataValue, shown } from "./metadata.ts";

export class Settings {
  constructor(
    readonly gguf: GgufFile,
    readonly architecture: string,
  ) {}

  /** A whole number of at least one. @throws FormatError if it is missing or cannot be */
  size(name: string): number {
    return this.optionalSize(name) ?? this.#missing(name);
  }

  /** Where layers may differ a list stands for all of them. @throws UnsupportedError if they do differ */
  optionalSize(name: string): number | undefined {
    const value = this.#uniform(name);
    if (value === undefined || value === 0) return undefined;
    return Number.isInteger(value) && value > 0 ? value : this.#wrong(name, value, "a whole number");
  }

  number(name: string): number {
    return this.optionalNumber(name) ?? this.#missing(name);
  }

  /** As it was written: what was stored in f32 is the shortest decimal that has its bits. */
  optionalNumber(name: string): number | undefined {
    const value = this.#uniform(name);
    return value === undefined ? undefined : shortest(value);
  }

  text(name: string): string | undefined {
    return this.#of(this.#key(name), "string");
  }

  flag(name: string): boolean | undefined {
    return this.#of(this.#key(name), "boolean");
  }

  /** Whatever it is. */
  value(name: string): MetadataValue | undefined {
    return this.gguf.metadata.get(this.#key(name));
  }

  /** A value outside the architecture's own, by its whole name. */
  general<K extends "string" | "number" | "boolean">(
    key: string,
    kind: K,
  ): { string: string; number: number; boolean: boolean }[K] | undefined {
    return this.#of(key, kind);
  }

  #key = (name: string): string => `${this.architecture}.${name}`;

  #of<K extends "string" | "number" | "boolean">(
    key: string,
    kind: K,
  ): { string: string; number: number; boolean: boolean }[K] | undefined {
    const value = this.gguf.metadata.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== kind) throw new FormatError(this.gguf.file, `metadata ${quoted(key)} is not a ${kind}.`);
    return value as { string: string; number: number; boolean: boolean }[K];
  }

  #uniform(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === "number") return value;
    if (typeof value !== "object" || value.length === 0) return this.#wrong(name, value, "a number");
    const list = value as ArrayLike<unknown>;
    const first = list[0];
    if (typeof first !== "number") return this.#wrong(name, value, "a number");
    for (let i = 1; i < list.length; i++) {
      if (list[i] === first) continue;
      throw new UnsupportedError(`${this.gguf.file}: ${this.#key(name)} differs from layer to layer, which is not supported.`);
    }
    return first;
  }

  #missing(name: string): never {
    throw new FormatError(this.gguf.file, `lacks the metadata ${quoted(this.#key(name))}.`);
  }

  #wrong(name: string, value: MetadataValue, what: string): never {
    throw new FormatError(this.gguf.file, `metadata ${quoted(this.#key(name))} is ${shown(value)}, not ${what}.`);
  }
}

function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
