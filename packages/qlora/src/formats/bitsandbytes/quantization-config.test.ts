import { FormatError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../error.ts";
import { quantizationJson, readQuantization } from "./quantization-config.ts";

const read = (json: object) => readQuantization("config.json", json as Record<string, unknown>);

describe("quantization_config", () => {
  test("of bitsandbytes in 4 bits says which, with transformers' defaults for what is missing", () => {
    expect(read({ quant_method: "bitsandbytes", load_in_4bit: true })).toEqual({ format: "fp4", doubleQuant: false });
    expect(
      read({ load_in_4bit: true, bnb_4bit_quant_type: "nf4", bnb_4bit_use_double_quant: true, llm_int8_skip_modules: ["lm_head"] }),
    ).toEqual({ format: "nf4", doubleQuant: true, skipped: ["lm_head"] });
  });

  test("is written so that it is read again", () => {
    const quantization = { format: "nf4", doubleQuant: false } as const;
    expect(read(JSON.parse(quantizationJson(quantization, "bfloat16")))).toEqual(quantization);
  });

  test.each([
    [{ quant_method: "bitsandbytes", load_in_8bit: true }, /8-bit/],
    [{ load_in_8bit: true, load_in_4bit: false }, /8-bit/],
    [{ quant_method: "gptq", bits: 4 }, /"gptq"/],
    [{ quant_method: "awq" }, /"awq".*Give the model in 16/],
    [{ quant_method: "compressed-tensors" }, /"compressed-tensors"/],
    [{ quant_method: "bitsandbytes" }, /load_in_4bit/],
    [{}, /no quant_method/],
  ])("%j is refused by name", (json, message) => {
    expect(() => read(json)).toThrow(UsageError);
    expect(() => read(json)).toThrow(message);
  });

  test("with a value that cannot be is no such thing", () => {
    expect(() => read({ load_in_4bit: "yes" })).toThrow(FormatError);
    expect(() => read({ load_in_4bit: true, bnb_4bit_quant_type: "nf3" })).toThrow(/"bnb_4bit_quant_type" is "nf3"/);
  });
});
