// `qlora compare`: its numbers are those of `qlora eval`, and what a format keeps of a model shows.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@qlora-js/qlora";
import { beforeAll, describe, expect, it } from "vitest";
import { qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const TEXT = "The cat sat by the door. The dog ran to the sea. ".repeat(8);

interface Format {
  readonly name: string;
  readonly bitsPerParameter: number;
  readonly perplexity: number;
  readonly lossAbove: { readonly mean: number };
  readonly divergence: { readonly mean: number };
  readonly agreement: number;
  readonly layers: readonly { readonly name: string; readonly relativeError: number }[];
}

describe("formats side by side", () => {
  let text = "";
  let result: Result;
  let told: { readonly perplexity: number; readonly windows: number; readonly tokens: number; readonly formats: readonly Format[] };
  beforeAll(async () => {
    text = join(fixtures().folder, "text.txt");
    writeFileSync(text, TEXT);
    result = await qlora(["compare", fixtures().model, "--text", text, "--length", "32", "--json"]);
    told = result.events.find(({ event }) => event === "compare") as unknown as typeof told;
  });

  it("are the paper's five", () => {
    expect([result.stderr, result.code]).toEqual(["", 0]);
    expect(told.formats.map(({ name }) => name)).toEqual(["NF4 + DQ", "NF4", "FP4 (E2M1)", "FP4 (E3M0)", "Int4"]);
  });

  it("have the loss that eval has on the same windows", async () => {
    const json = (name: string): unknown => JSON.parse(readFileSync(join(fixtures().model, name), "utf8"));
    const tokenizer = Tokenizer.from({ tokenizer: json("tokenizer.json") as object, config: json("tokenizer_config.json") as object });
    const ids = tokenizer.encode(TEXT, { addSpecialTokens: false });
    const rows: string[] = [];
    for (let from = 0; from < ids.length; from += 32) {
      const window = ids.slice(from, from + 32);
      if (window.length > 1) rows.push(JSON.stringify({ input_ids: window, labels: window }));
    }
    const data = join(fixtures().folder, "windows.jsonl");
    writeFileSync(data, rows.join("\n"));
    for (const [format, expected] of [
      [["--format", "none"], told.perplexity],
      [["--format", "nf4"], told.formats[0]!.perplexity],
      [["--format", "fp4", "--no-double-quant"], told.formats[2]!.perplexity],
    ] as const) {
      const { events } = await qloraHere(["eval", fixtures().model, data, "--batch", "1", ...format, "--json"]);
      const { perplexity } = events.find(({ event }) => event === "eval") as unknown as { perplexity: number };
      expect(Math.abs(perplexity / expected - 1)).toBeLessThan(1e-5);
    }
  });

  it("diverge from the original, and agree with it, as far as they are off", () => {
    for (const { divergence, agreement, layers, lossAbove, perplexity } of told.formats) {
      expect(divergence.mean).toBeGreaterThan(0);
      expect(agreement).toBeGreaterThan(0);
      expect(agreement).toBeLessThanOrEqual(1);
      expect(layers).toHaveLength(14);
      for (const { relativeError } of layers) expect(relativeError).toBeGreaterThan(0.05);
      expect(Math.abs(lossAbove.mean - Math.log(perplexity / told.perplexity))).toBeLessThan(1e-6);
    }
    const error = (i: number): number => told.formats[i]!.layers[0]!.relativeError;
    expect(error(1)).toBeLessThan(error(2));
  });

  it("take the bits that their blocks and scales take", () => {
    expect(told.formats[1]!.bitsPerParameter).toBeCloseTo(4.5, 6);
    expect(told.formats[0]!.bitsPerParameter).toBeGreaterThan(4.125);
    expect(told.formats[0]!.bitsPerParameter).toBeLessThan(4.2);
  });

  it.each([
    [["--formats", "nf4,fp5"], /"fp5" is no format\. Did you mean "fp4"\?/],
    [["--text", "nowhere.txt"], /nowhere\.txt cannot be read/],
    [["--length", "9999"], /the model has positions for 128/],
  ])("refuse %j", async (more, message) => {
    const { code, stderr } = await qloraHere(["compare", fixtures().model, ...(more[0] === "--text" ? [] : ["--text", text]), ...more]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("want a text", async () => {
    const { code, stderr } = await qloraHere(["compare", fixtures().model]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--text: is missing")]);
  });
});
