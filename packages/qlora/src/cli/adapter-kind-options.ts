// What kind of adapter a run trains: PEFT's choices besides rank, alpha and targets.
import { z } from "zod";
import type { LoraInit, LoraSettings } from "../formats/peft-config.ts";
import { choiceOption, type OptionRow, type OptionValues, switchOption } from "./option-table.ts";

const INIT: OptionRow<LoraInit> = {
  flags: "--init <way>",
  help: "how the adapter begins: default, gaussian, random, pissa, pissa_niter_16 or such, loftq",
  expects: "default, gaussian, random, pissa, pissa_niter_ and a number, loftq",
  fromText: (text) => text,
  schema: z
    .string()
    .regex(/^(default|gaussian|random|pissa|pissa_niter_[1-9]\d{0,2}|loftq)$/)
    .default("default") as unknown as z.ZodType<LoraInit>,
};

const SAVED: OptionRow<string[]> = {
  flags: "--modules-to-save <names>",
  help: "modules that are trained whole and saved with the adapter, such as lm_head,embed_tokens",
  expects: "names with commas between them",
  fromText: (text) => text.split(",").map((name) => name.trim()),
  schema: z.array(z.string().min(1).max(1000)).default([]),
};

export const ADAPTER_KIND_OPTIONS = {
  dora: switchOption("--dora", z.boolean().default(false), "train the lengths of rows too (DoRA)"),
  rslora: switchOption("--rslora", z.boolean().default(false), "scale by alpha / √rank instead of alpha / rank"),
  init: INIT,
  modulesToSave: SAVED,
  bias: choiceOption("--bias <which>", ["none", "all", "lora_only"], "none", "biases that are trained"),
};
export type AdapterKindOptions = OptionValues<typeof ADAPTER_KIND_OPTIONS>;

/** The same as an adapter's settings. */
export const adapterKind = ({ dora, rslora, init, modulesToSave, bias }: AdapterKindOptions): Partial<LoraSettings> => {
  return { useDora: dora, useRslora: rslora, init, modulesToSave, bias };
};

/** The options that settings are the same as. */
export const optionsOfKind = (settings: LoraSettings): AdapterKindOptions => {
  const { useDora: dora, useRslora: rslora, init, modulesToSave, bias } = settings;
  return { dora, rslora, init, modulesToSave: [...modulesToSave], bias };
};
