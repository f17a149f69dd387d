// Options that several actions have, with one meaning for all of them.
import { BLOCK_SIZES, namedFormat, type QFormat } from "@qlora-js/core";
import { z } from "zod";
import { isRevision } from "../hub/hub-name.ts";
import { bytesOption } from "./bytes-option.ts";
import { BACKEND_NAMES } from "./open-backend.ts";
import { choiceOption, numberOption, type OptionRow, type OptionValues, switchOption, textOption } from "./option-table.ts";

/** How results are told. */
export const OUTPUT_OPTIONS = {
  json: switchOption("--json", z.boolean().optional(), "print one JSON object a line; so by itself where output is not a terminal"),
  noJson: switchOption("--no-json", z.boolean().optional(), "print text where output is not a terminal"),
};

/** How the base model's weights are held. */
export const FORMAT_OPTIONS = {
  format: choiceOption(
    "--format <format>",
    ["nf4", "fp4", "none"],
    "nf4",
    "how linear weights are held, none being the file's own numbers",
  ),
  blockSize: numberOption(
    "--block-size <n>",
    z
      .number()
      .refine((n) => BLOCK_SIZES.includes(n))
      .default(64),
    { help: `weights that share one scale: ${BLOCK_SIZES.join(", ")}`, expects: BLOCK_SIZES.join(", ") },
  ),
  doubleQuant: switchOption("--no-double-quant", z.boolean().default(true), "keep scales in 32 bits instead of 8"),
};

/** What computes. */
export const BACKEND_OPTIONS = {
  backend: choiceOption("--backend <name>", BACKEND_NAMES, "cpu", "what computes; auto: a GPU if there is one, else the CPU"),
  threads: numberOption("--threads <n>", z.int().min(1).max(64).optional(), {
    help: "threads of the CPU; all processors by default",
    expects: "a whole number from 1 to 64",
  }),
  weightsBudget: bytesOption(
    "--weights-budget <bytes>",
    z.int().positive().optional(),
    "the most bytes of 4-bit weights on the device at one time, at least two layers; no limit by default",
  ),
};

/** Whose adapter is put on the model. */
export const ADAPTER_OPTIONS = {
  adapter: textOption("--adapter <folder>", z.string().min(1).optional(), {
    help: "a PEFT LoRA adapter to put on the model: a folder, a run folder or org/name",
    expects: "the folder of a PEFT adapter, or its org/name",
  }),
};

/** An adapter as it is named, and how much of it. */
export interface NamedAdapter {
  readonly name: string;
  readonly weight: number;
}

const named = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => [given].flat().map(weighted))
  .refine((adapters) => adapters.every(({ name, weight }) => name !== "" && Number.isFinite(weight)));

/** `DIR`, or `DIR=0.5`. */
function weighted(text: string): NamedAdapter {
  const [, name, weight] = /^(.*)=([-+.\de]+)$/i.exec(text) ?? [];
  return name === undefined ? { name: text, weight: 1 } : { name, weight: Number(weight) };
}

/** Whose adapters are put on the model, together. */
export const ADAPTERS_OPTIONS = {
  adapter: {
    flags: "--adapter <folder[=weight]>",
    help: "an adapter to put on the model: a folder of PEFT's or MLX's, a run folder or org/name; may be repeated, each with a weight: A=0.7",
    expects: "the folder of an adapter, or its org/name, and perhaps = and its weight",
    fromText: (text) => text,
    schema: named as z.ZodType<NamedAdapter[]>,
    repeats: true,
  } satisfies OptionRow<NamedAdapter[]>,
};

/** How what is not here is had from a hub. */
export const HUB_OPTIONS = {
  revision: textOption("--revision <name>", z.string().refine(isRevision).optional(), {
    help: "branch, tag or commit of a model from the hub; or write org/name@revision, also for data and adapters",
    expects: "a branch, a tag or a commit",
  }),
  offline: switchOption("--offline", z.boolean().optional(), "ask no hub, use what its cache has; so too where HF_HUB_OFFLINE=1"),
};

/** What random numbers depend on. */
export const SEED_OPTIONS = {
  seed: numberOption("--seed <n>", z.int().nonnegative().default(0), {
    help: "what random numbers depend on",
    expects: "a whole number, 0 or more",
  }),
};

export type FormatOptions = OptionValues<typeof FORMAT_OPTIONS>;

/** The format that options mean; null keeps the numbers of the file. */
export const formatOf = ({ format, blockSize, doubleQuant }: FormatOptions): QFormat | null =>
  format === "none" ? null : namedFormat(format, { blockSize, doubleQuant });

/** The same in words: `NF4 + double quantization`. */
export function formatWords({ format, blockSize, doubleQuant }: FormatOptions): string {
  if (format === "none") return "the file's numbers";
  return `${format.toUpperCase()}${doubleQuant ? " + double quantization" : ""}${blockSize === 64 ? "" : `, blocks of ${blockSize}`}`;
}
