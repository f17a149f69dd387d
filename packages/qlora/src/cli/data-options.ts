// How rows are cut: for train, eval and inspect.
import { z } from "zod";
import { numberOption } from "./option-table.ts";

export const LENGTH_OPTIONS = {
  maxLength: numberOption("--max-length <tokens>", z.int().min(2).optional(), {
    help: "cut longer rows on the right; without it, one longer than the model's positions is an error",
    expects: "a whole number, 2 or more",
  }),
};
