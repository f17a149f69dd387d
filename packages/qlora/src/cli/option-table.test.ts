import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { addOptions, choiceOption, numberOption, optionName, readOptions, switchOption, textOption } from "./option-table.ts";

const TABLE = {
  blockSize: numberOption("--block-size <n>", z.int().positive().default(64), { help: "weights a block", expects: "a whole number" }),
  schedule: choiceOption("--schedule <name>", ["constant", "cosine"], "constant", "how it changes"),
  doubleQuant: switchOption("--no-double-quant", z.boolean().default(true), "single quantization"),
  dryRun: switchOption("--dry-run", z.boolean().default(false), "plan alone"),
  out: textOption("--out <folder>", z.string().optional(), { help: "where to", expects: "a folder" }),
};

function read(args: readonly string[], config: Record<string, unknown> = {}) {
  const command = new Command().exitOverride();
  addOptions(command, TABLE);
  command.parse([...args], { from: "user" });
  return readOptions(command, TABLE, config);
}

describe("readOptions", () => {
  it("has the defaults where nothing is given", () => {
    const { values, given } = read([]);
    expect(values).toEqual({ blockSize: 64, schedule: "constant", doubleQuant: true, dryRun: false, out: undefined });
    expect(given.size).toBe(0);
  });

  it("takes flags before the config file, and the file before the defaults", () => {
    const { values, given } = read(["--block-size", "32", "--no-double-quant"], { "block-size": 128, schedule: "cosine", "dry-run": true });
    expect(values).toMatchObject({ blockSize: 32, schedule: "cosine", doubleQuant: false, dryRun: true });
    expect([...given].sort()).toEqual(["blockSize", "doubleQuant", "dryRun", "schedule"]);
  });

  it.each([
    [["--block-size", ""], {}, "--block-size", "", /^--block-size: is ""\. Give a whole number\.$/],
    [["--block-size", "1.5"], {}, "--block-size", "1.5", /is "1.5"/],
    [[], { "block-size": null }, "--block-size", null, /is null/],
    [[], { "double-quant": "no" }, "--no-double-quant", "no", /Give true or false/],
    [["--schedule", "cosin"], {}, "--schedule", "cosin", /Give constant, cosine\. Did you mean "cosine"\?$/],
    [["--schedule", "zigzag"], {}, "--schedule", "zigzag", /Give constant, cosine\.$/],
  ])("refuses %j with %j by name, value and what to give", (args, config, where, value, message) => {
    const reading = () => read(args, config);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(message);
    expect(reading).toThrow(expect.objectContaining({ where, fields: { value } }));
  });

  it("shows defaults in the help", () => {
    const command = new Command();
    addOptions(command, TABLE);
    expect(command.helpInformation()).toMatch(/weights a block \(default: 64\)/);
  });

  it("names options for the config file as they are typed, without the dashes", () => {
    expect(Object.values(TABLE).map(optionName)).toEqual(["block-size", "schedule", "double-quant", "dry-run", "out"]);
  });
});
