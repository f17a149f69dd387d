// From training to other tools by the command alone: merged, exported, computed by llama.cpp, and what is refused.
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { microModelUrl } from "@qlora-js/qlora/micro";
import { openSafetensorsFile } from "@qlora-js/qlora/node";
import type { Llama } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { continueWithLlamaCpp, openLlamaCpp } from "../parity/llama-cpp.ts";
import { named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const MICRO = fileURLToPath(microModelUrl());
const DATA = fileURLToPath(new URL("../demo/", microModelUrl()));
const llama = await openLlamaCpp();
const without = llama ? "" : " (skipped: node-llama-cpp has no binary here)";
afterAll(async () => llama?.dispose());

const fixtures = useFixtures();
const QUESTION = "What do cats like?";
const PROMPT = `<|im_start|>user\n${QUESTION}<|im_end|>\n<|im_start|>assistant\n`;
const ANSWER = ["--prompt", QUESTION, "--temperature", "0", "--max-new-tokens", "24"];

const said = (result: Result): { ids: number[]; text: string } => {
  expect([result.stderr, result.code]).toEqual(["", 0]);
  return named(result, "generate")[0] as unknown as { ids: number[]; text: string };
};
const path = (name: string): string => join(fixtures().folder, name);
/** Without the token that ends the answer. */
const spoken = (ids: readonly number[]): number[] => ids.filter((id) => id > 2);

describe("a run of the micro model", () => {
  let run: string;
  beforeAll(async () => {
    run = path("run");
    const trained = await qloraHere(["train", MICRO, DATA, "--steps", "12", "--rank", "8", "--lr", "3e-3", "--no-samples", "--out", run]);
    expect([trained.stderr, trained.code]).toEqual(["", 0]);
  });

  it("is merged into the 4-bit weights it was trained over, and answers as it did while it was a run", async () => {
    const merged = await qlora(["merge", run, "--to", path("nf4")]);
    expect(named(merged, "merge")[0]).toMatchObject({ modules: 35, as: "safetensors", base: "nf4", blockSize: 64, doubleQuant: true });
    const answer = said(await qloraHere(["generate", path("nf4"), "--format", "none", ...ANSWER]));
    expect(answer.ids).toEqual(said(await qloraHere(["generate", run, ...ANSWER])).ids);
  });

  it("is named as a model, or as the adapter of one", async () => {
    const answer = said(await qlora(["generate", MICRO, "--adapter", run, ...ANSWER]));
    expect(answer.ids).toEqual(said(await qlora(["generate", run, ...ANSWER])).ids);
  });

  it("is merged into the file's weights where that is asked for, as a folder with all that a model has", async () => {
    const merged = await qloraHere(["merge", run, "--base", "16bit", "--to", path("merged")]);
    expect([merged.stderr, merged.code]).toEqual(["", 0]);
    expect(named(merged, "merge")[0]).toMatchObject({ base: "16bit" });
    const files = readdirSync(path("merged")).sort();
    expect(files).toEqual(
      readdirSync(MICRO)
        .filter((name) => /json|safetensors/.test(name))
        .sort(),
    );
    for (const name of files.filter((name) => name.endsWith(".json")))
      expect(readFileSync(join(path("merged"), name)), name).toEqual(readFileSync(join(MICRO, name)));
    const [before, after] = [
      await openSafetensorsFile(join(MICRO, "model.safetensors")),
      await openSafetensorsFile(join(path("merged"), "model.safetensors")),
    ];
    const shape = (t: { dtype: string; shape: readonly number[] }) => [t.dtype, t.shape];
    expect([...after.tensors].map(([name, t]) => [name, shape(t)])).toEqual([...before.tensors].map(([name, t]) => [name, shape(t)]));
    const norm = "model.norm.weight";
    expect(await after.tensors.get(norm)!.read()).toEqual(await before.tensors.get(norm)!.read());
    for (const file of [before, after]) await file.close();
  });

  it.each([
    ["its adapter given with the model", (run: string) => [MICRO, "--adapter", join(run, "adapter")], { base: "nf4", doubleQuant: true }],
    ["a saved step's", (run: string) => [MICRO, "--adapter", join(run, "checkpoints", "step-000012", "adapter")], { base: "nf4" }],
    ["with other blocks", (run: string) => [run, "--block-size", "128"], { base: "nf4", blockSize: 128 }],
    ["an adapter from elsewhere", (run: string) => [MICRO, "--adapter", copied(run)], { base: "16bit" }],
  ])("is known for what it was trained over: %s", async (_, args, expected) => {
    const merged = await qloraHere(["merge", ...args(run), "--to", path(`base-${Object.values(expected).join("-")}-${_.length}`)]);
    expect([merged.stderr, merged.code]).toEqual(["", 0]);
    expect(named(merged, "merge")[0]).toMatchObject(expected);
  });

  function copied(run: string): string {
    const to = path("elsewhere");
    cpSync(join(run, "adapter"), to, { recursive: true });
    return to;
  }

  it("is shared out over shards that are read again as the same model", async () => {
    await qloraHere(["merge", run, "--to", path("whole")]);
    await qloraHere(["merge", run, "--to", path("shards"), "--max-shard-size", "400kB"]);
    expect(readdirSync(path("shards")).filter((name) => name.endsWith(".safetensors")).length).toBeGreaterThan(3);
    const of = async (model: string) => said(await qloraHere(["generate", path(model), "--format", "none", ...ANSWER])).ids;
    expect(await of("shards")).toEqual(await of("whole"));
  });

  describe("as GGUF", () => {
    it.each([
      ["gguf-f16", "none"],
      ["gguf-q8_0", "none"],
      ["gguf-q4_0", "none"],
    ])(`%s is continued by llama.cpp, from its own tokenizer and template, as it is here${without}`, async (as) => {
      const file = path(`${as}.gguf`);
      const merged = await qloraHere(["merge", run, "--as", as, "--to", file]);
      expect([merged.stderr, merged.code]).toEqual(["", 0]);
      expect(named(merged, "written")[0]).toMatchObject({ path: file, bytes: statSync(file).size, warnings: [] });
      const ours = said(await qloraHere(["generate", file, "--format", "none", ...ANSWER]));
      if (!llama) return;
      const theirs = await continueWithLlamaCpp(llama as Llama, { model: file, prompt: PROMPT, count: 24 });
      expect([spoken(theirs.ids), theirs.text]).toEqual([spoken(ours.ids), ours.text]);
      const { chat_template } = JSON.parse(readFileSync(join(MICRO, "tokenizer_config.json"), "utf8")) as { chat_template: string };
      expect(theirs.template).toBe(chat_template);
    });

    it.skipIf(!llama)(`exported as GGUF LoRA it does the same on a base in GGUF${without}`, async () => {
      expect((await qloraHere(["export", MICRO, "--as", "gguf-f16", "--to", path("base.gguf")])).code).toBe(0);
      const exported = await qloraHere(["export", run, "--as", "gguf-lora", "--to", path("lora.gguf")]);
      expect([exported.stderr, exported.code]).toEqual(["", 0]);
      const ask = (lora?: string) =>
        continueWithLlamaCpp(llama as Llama, { model: path("base.gguf"), ...(lora ? { lora } : {}), prompt: PROMPT, count: 24 });
      const ours = said(await qloraHere(["generate", MICRO, "--adapter", join(run, "adapter"), "--format", "none", ...ANSWER]));
      expect((await ask(path("lora.gguf"))).text).toBe(ours.text);
      expect((await ask()).text).not.toBe(ours.text);
    });
  });

  it("exported for MLX it is a folder of the two files that mlx-lm reads", async () => {
    const exported = await qloraHere(["export", run, "--as", "mlx", "--to", path("mlx")]);
    expect([exported.stderr, exported.code]).toEqual(["", 0]);
    expect(readdirSync(path("mlx")).sort()).toEqual(["adapter_config.json", "adapters.safetensors"]);
    const weights = await openSafetensorsFile(join(path("mlx"), "adapters.safetensors"));
    expect(weights.tensors.size).toBe(70);
    expect(weights.tensors.get("model.layers.0.mlp.down_proj.lora_a")!.shape).toEqual([384, 8]);
    await weights.close();
  });

  it.each([
    ["without --to", () => ["merge", run], /--to: is missing/],
    ["over a file", () => ["merge", run, "--as", "gguf-f16", "--to", join(run, "manifest.json")], /Nothing is overwritten/],
    ["into a folder that holds something", () => ["merge", run, "--to", run], /is a folder that is not empty/],
    ["as a file where a folder is", () => ["merge", run, "--as", "gguf-f16", "--to", run], /a file is to be written/],
    ["without an adapter", () => ["merge", MICRO, "--to", path("x")], /--adapter: is missing/],
    ["as something unknown", () => ["merge", run, "--as", "gguf-q9", "--to", path("x")], /gguf-q8_0/],
    [
      "with an adapter for another model",
      () => ["merge", fixtures().model, "--adapter", join(run, "adapter"), "--to", path("x")],
      /another base model/,
    ],
    ["exported without an adapter", () => ["export", MICRO, "--to", path("x")], /--adapter: is missing/],
    ["exported as a model with an adapter", () => ["export", run, "--adapter", "x", "--as", "gguf-f16", "--to", path("x")], /Merge them/],
    ["exported over a file", () => ["export", run, "--to", join(run, "manifest.json")], /Nothing is overwritten/],
  ])("is refused %s, and nothing is written", async (_, args, message) => {
    const result = await qloraHere(args());
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(existsSync(path("x"))).toBe(false);
  });

  it("leaves nothing behind where there is no room for it", async () => {
    const limited = { through: ["sh", "-c", 'ulimit -f 600; exec "$@"', "sh"] }; // 300 kB
    for (const args of [
      ["--to", path("full")],
      ["--as", "gguf-f16", "--to", path("full.gguf")],
    ]) {
      const result = await qlora(["merge", run, ...args], limited);
      expect([result.code, result.events.at(-1)]).toEqual([1, expect.objectContaining({ name: "StorageError" })]);
    }
    expect(readdirSync(fixtures().folder).filter((name) => name.includes("full"))).toEqual([]);
  });

  it("refuses an adapter whose training diverged, with the layer", async () => {
    const spoiled = path("spoiled");
    await qloraHere(["train", MICRO, DATA, "--steps", "1", "--rank", "2", "--no-samples", "--out", spoiled]);
    const weights = join(spoiled, "adapter", "adapter_model.safetensors");
    const bytes = readFileSync(weights);
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    writeFileSync(weights, bytes);
    const result = await qloraHere(["merge", spoiled, "--to", path("x")]);
    expect([result.code, result.stderr]).toEqual([2, expect.stringMatching(/v_proj.*not a number/)]);
    expect(existsSync(path("x"))).toBe(false);
  });
});
