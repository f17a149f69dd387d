import { FormatError } from "@qlora-js/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../fuzz-cases.fixture.ts";
import { loraKey, parseAdapterKey, wholeKey } from "./peft-keys.ts";

const MODULE = "model.layers.0.self_attn.q_proj";

test("keys that are written are read again", () => {
  for (const side of ["a", "b", "magnitude"] as const)
    expect(parseAdapterKey("f", loraKey(MODULE, side))).toEqual({ kind: "lora", module: MODULE, side });
  for (const ending of ["weight", "bias"] as const)
    for (const adapted of [true, false])
      expect(parseAdapterKey("f", wholeKey(MODULE, ending, adapted))).toEqual({ kind: "whole", module: MODULE, ending });
});

test("whatever a key is, it is read or refused with a typed error, at once", { timeout: FUZZ_TIMEOUT }, () => {
  const part = fc.constantFrom(
    "base_model",
    "model",
    "lora_A",
    "lora_B",
    "lora_magnitude_vector",
    "weight",
    "bias",
    "base_layer",
    "default",
    "",
    "..",
    "__proto__",
  );
  const key = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join(".")),
    fc.array(part, { maxLength: 8 }).map((parts) => `base_model.model.${parts.join(".")}`),
    fc.string({ maxLength: 60 }),
  );
  fc.assert(
    fc.property(key, (text) => {
      try {
        expect(parseAdapterKey("f", text).kind).toMatch(/lora|whole/);
      } catch (error) {
        if (!(error instanceof UsageError) && !(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: fuzzCases(3000) },
  );
});
