// `qlora quantize`, and the other commands on what it wrote: trained, gone on with, merged, answered from, as the 16-bit model in the same format.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adapterBytes, metricsOf, named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const BRIEF = ["--steps", "3", "--batch", "2", "--no-samples", "--save-every", "3"];

const errorOf = (result: Result): { message: string; name: string } => named(result, "error")[0] as never;
const said = (result: Result): unknown => named(result, "generate")[0]?.ids;

describe("a model that was quantized", () => {
  let four: string;
  let quantized: Result;
  beforeAll(async () => {
    four = join(fixtures().folder, "four");
    quantized = await qlora(["quantize", fixtures().model, "--to", four]);
  });

  it("is a folder with config, weights and tokenizer, and the next command is said", () => {
    expect(quantized.code).toBe(0);
    expect(readdirSync(four).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(named(quantized, "quantize")).toMatchObject([{ format: "nf4", blockSize: 64, doubleQuant: true }]);
    const [written] = named(quantized, "written");
    expect(written).toMatchObject({ path: four, next: expect.stringMatching(/ train .*four DATA$/) });
    expect(written!.bytes).toBeLessThan(written!.weightsBefore as number);
    const config = JSON.parse(readFileSync(join(four, "config.json"), "utf8")) as { quantization_config: object };
    expect(config.quantization_config).toMatchObject({ quant_method: "bitsandbytes", bnb_4bit_compute_dtype: "bfloat16" });
  });

  it("answers what the 16-bit model answers in the same format, whole or a layer at a time", async () => {
    const greedy = ["--raw", "--prompt", "the sea", "--temperature", "0", "--max-new-tokens", "12"];
    const [own, other, paged] = [
      await qloraHere(["generate", four, ...greedy]),
      await qloraHere(["generate", fixtures().model, ...greedy]),
      await qloraHere(["generate", four, ...greedy, "--weights-budget", "60KB"]),
    ];
    expect(own.code).toBe(0);
    expect(said(own)).toHaveLength(12);
    expect(said(other)).toEqual(said(own));
    expect(said(paged)).toEqual(said(own));
  });

  it("is trained as the 16-bit model is, gone on with, evaluated and merged", async () => {
    const runs = [four, fixtures().model].map((model, i) => [model, join(fixtures().folder, `run-${i}`)] as const);
    for (const [model, run] of runs) expect((await qloraHere(["train", model, fixtures().data, "--out", run, ...BRIEF])).code).toBe(0);
    const losses = runs.map(([, run]) => metricsOf(run).flatMap(({ event, loss }) => (event === "step" ? [loss as number] : [])));
    expect(losses[0]).toHaveLength(3);
    // the two differ in the last bit of the scales' mean
    for (const [i, loss] of losses[0]!.entries()) expect(loss).toBeCloseTo(losses[1]![i]!, 5);
    const run = runs[0]![1];
    const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as { options: object };
    expect(manifest.options).toMatchObject({ format: "nf4", blockSize: 64, doubleQuant: true });
    const longer = await qloraHere(["train", "--resume", run, "--steps", "4"]);
    expect(longer.code).toBe(0);
    const evaluated = await qloraHere(["eval", run, fixtures().data]);
    expect(named(evaluated, "eval")[0]!.loss).toBeGreaterThan(0);
    const merged = join(fixtures().folder, "merged");
    expect((await qloraHere(["merge", run, "--to", merged])).code).toBe(0);
    expect(readFileSync(join(merged, "config.json"), "utf8")).not.toContain("quantization_config");
    const again = join(fixtures().folder, "merged-four");
    const packed = await qloraHere(["merge", run, "--to", again, "--as", "bnb-nf4"]);
    expect(packed.code).toBe(0);
    const answers = await qloraHere(["generate", again, "--raw", "--prompt", "the sea", "--temperature", "0", "--max-new-tokens", "4"]);
    expect(said(answers)).toHaveLength(4);
  });

  it("is planned for in its own format", async () => {
    const plan = await qloraHere(["plan", four]);
    const sixteen = await qloraHere(["plan", fixtures().model]);
    expect(plan.code).toBe(0);
    expect(named(plan, "plan")[0]!.methods).toEqual(named(sixteen, "plan")[0]!.methods);
  });

  it("is refused another format, a second quantization, and a place where something is", async () => {
    const asked = await qloraHere(["generate", four, "--raw", "--prompt", "a", "--format", "fp4"]);
    expect([asked.code, errorOf(asked).message]).toEqual([2, expect.stringContaining("--format fp4: is given, but the weights")]);
    const blocks = await qloraHere(["train", four, fixtures().data, "--block-size", "128", "--dry-run"]);
    expect([blocks.code, errorOf(blocks).message]).toEqual([2, expect.stringContaining("--block-size 128")]);
    const twice = await qloraHere(["quantize", four, "--to", join(fixtures().folder, "twice")]);
    expect([twice.code, errorOf(twice).message]).toEqual([2, expect.stringContaining("is quantized already")]);
    expect(existsSync(join(fixtures().folder, "twice"))).toBe(false);
    const over = await qloraHere(["quantize", fixtures().model, "--to", four]);
    expect([over.code, errorOf(over).message]).toEqual([2, expect.stringContaining("Nothing is overwritten")]);
    const nowhere = await qloraHere(["quantize", fixtures().model]);
    expect([nowhere.code, errorOf(nowhere).message]).toEqual([2, expect.stringContaining("--to")]);
    const run = await qloraHere(["compare", four, "--text", join(fixtures().data, "train.jsonl")]);
    expect(run.code).toBe(2);
  });
});

it("FP4, other blocks and plain scales are written, and decide how the model is held", async () => {
  const path = join(fixtures().folder, "fp4");
  const made = await qloraHere(["quantize", fixtures().model, "--to", path, "--format", "fp4", "--block-size", "128", "--no-double-quant"]);
  expect(made.code).toBe(0);
  const run = join(fixtures().folder, "run-fp4");
  expect((await qloraHere(["train", path, fixtures().data, "--out", run, ...BRIEF])).code).toBe(0);
  const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as { options: object };
  expect(manifest.options).toMatchObject({ format: "fp4", blockSize: 128, doubleQuant: false });
  expect(adapterBytes(run).length).toBeGreaterThan(0);
});
