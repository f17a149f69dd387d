// How tokens are chosen: for generate and chat.
import { z } from "zod";
import type { GenerateOptions } from "../generate/generate.ts";
import { numberOption, type OptionValues } from "./option-table.ts";

export const SAMPLING_OPTIONS = {
  temperature: numberOption("--temperature <t>", z.number().nonnegative().finite().default(0), {
    help: "how freely tokens are drawn; 0 always takes the most likely",
    expects: "a number, 0 or more",
  }),
  topP: numberOption("--top-p <p>", z.number().positive().max(1).default(1), {
    help: "draw from the most likely tokens that together have this probability",
    expects: "a number above 0, up to 1",
  }),
  topK: numberOption("--top-k <k>", z.int().nonnegative().default(0), {
    help: "draw from the k most likely tokens; 0 for all",
    expects: "a whole number, 0 or more",
  }),
  maxNewTokens: numberOption("--max-new-tokens <n>", z.int().positive().default(256), {
    help: "where to stop if the model does not",
    expects: "a whole number, 1 or more",
  }),
};

/** What `generate` is asked for. */
export const generateOptions = (
  { temperature, topP, topK, maxNewTokens }: OptionValues<typeof SAMPLING_OPTIONS>,
  seed: number,
  stopIds: readonly number[],
): GenerateOptions => ({ temperature, topP, topK, maxNewTokens, seed, stopIds });
