// `quantization_config` of a config.json: how its weights are quantized, and by whom. bitsandbytes' 4 bits are read; everything else is refused by name.
// Written as transformers 5.23 does. Source: transformers' utils/quantization_config.py, BitsAndBytesConfig.
import * as z from "zod/mini";
import { UsageError } from "../../error.ts";
import { quoted } from "../quoted.ts";
import { checkJson } from "../read-json.ts";

/** What config.json says of 4-bit weights; their block size and all else is in the files of weights. */
export interface Quantization {
  readonly format: "nf4" | "fp4";
  readonly doubleQuant: boolean;
  /** Patterns of the layers that are left in 16 bits. */
  readonly skipped?: readonly string[];
}

const Schema = z.object({
  quant_method: z.nullish(z.string()),
  load_in_4bit: z.nullish(z.boolean()),
  load_in_8bit: z.nullish(z.boolean()),
  bnb_4bit_quant_type: z.nullish(z.enum(["nf4", "fp4"])),
  bnb_4bit_use_double_quant: z.nullish(z.boolean()),
  llm_int8_skip_modules: z.nullish(z.array(z.string())),
});

/**
 * @param file name for errors
 * @throws UsageError for a method that is not read, FormatError if a value cannot be
 */
export function readQuantization(file: string, json: Readonly<Record<string, unknown>>): Quantization {
  const raw = checkJson(`${file}, quantization_config`, Schema, json);
  const method = raw.quant_method ?? (raw.load_in_4bit || raw.load_in_8bit ? "bitsandbytes" : undefined);
  const refuse = (what: string): never => {
    throw new UsageError(file, `quantization_config: ${what} Give the model in 16 or 32 bits; it is quantized as it is read.`, {
      key: "quantization_config",
      value: method,
    });
  };
  if (method === undefined) return refuse("names no quant_method.");
  if (method !== "bitsandbytes") return refuse(`weights quantized by ${quoted(method)} are not read; of bitsandbytes, 4-bit ones are.`);
  if (raw.load_in_8bit) return refuse("8-bit weights of bitsandbytes (LLM.int8) are not read; 4-bit ones are.");
  if (!raw.load_in_4bit) return refuse('bitsandbytes without "load_in_4bit" true is not read.');
  // transformers' own defaults for what is not there
  const skipped = raw.llm_int8_skip_modules ?? [];
  return {
    format: raw.bnb_4bit_quant_type ?? "fp4",
    doubleQuant: raw.bnb_4bit_use_double_quant ?? false,
    ...(skipped.length === 0 ? {} : { skipped }),
  };
}

/** What transformers writes for a model quantized with these settings. */
export const quantizationJson = ({ format, doubleQuant }: Quantization, computeDType: string): string =>
  `{
    "_load_in_4bit": true,
    "_load_in_8bit": false,
    "bnb_4bit_compute_dtype": ${JSON.stringify(computeDType)},
    "bnb_4bit_quant_storage": "uint8",
    "bnb_4bit_quant_type": ${JSON.stringify(format)},
    "bnb_4bit_use_double_quant": ${doubleQuant},
    "llm_int8_enable_fp32_cpu_offload": false,
    "llm_int8_has_fp16_weight": false,
    "llm_int8_skip_modules": null,
    "llm_int8_threshold": 6.0,
    "load_in_4bit": true,
    "load_in_8bit": false,
    "quant_method": "bitsandbytes"
  }`;
