// Training, evaluating and generating through the command, on a tiny model.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adapterBytes, metricsOf, named, qlora, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const TRAIN = ["--steps", "8", "--batch", "2", "--accumulate", "2", "--rank", "4", "--alpha", "8", "--lr", "5e-3"];

describe("qlora train", () => {
  let run: string;
  let result: Result;
  beforeAll(async () => {
    const { folder, model, data } = fixtures();
    run = join(folder, "run");
    result = await qlora(["train", model, data, ...TRAIN, "--eval-every", "4", "--save-every", "3", "--out", run]);
  });

  it("tells programs every step by the agreed names, and done last", () => {
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
    const steps = named(result, "step");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const step of steps) {
      for (const name of ["loss", "gradNorm", "learningRate", "supervisedTokens", "tokensPerSecond", "residentBytes"])
        expect(step[name], name).toBeGreaterThan(0);
      expect(Object.keys(step.pager as object)).toEqual(expect.arrayContaining(["hits", "faults", "bytesIn", "bytesOut"]));
    }
    expect(steps.at(-1)!.loss).toBeLessThan(steps[0]!.loss as number);
    expect(result.events.at(-1)).toMatchObject({ event: "done", run, step: 8, interrupted: false });
  });

  it("evaluates before the first update, as often as asked, and at the end", () => {
    const evaluations = named(result, "eval");
    expect(evaluations.map(({ step }) => step)).toEqual([0, 4, 8]);
    for (const { loss, perplexity, bitsPerByte, supervisedTokens } of evaluations) {
      expect(perplexity).toBeCloseTo(Math.exp(loss as number), 6);
      expect(bitsPerByte).toBeGreaterThan(0);
      expect(supervisedTokens).toBeGreaterThan(40);
    }
    expect(evaluations[2]!.loss).toBeLessThan(evaluations[0]!.loss as number);
  });

  it("answers the same three prompts at every evaluation", () => {
    const samples = named(result, "sample");
    expect(samples).toHaveLength(9);
    expect(samples.slice(0, 3).map(({ prompt }) => prompt)).toEqual(["What is 0 and 1?", "What is 1 and 1?", "What is 2 and 1?"]);
    expect(samples.slice(6).map(({ prompt }) => prompt)).toEqual(samples.slice(0, 3).map(({ prompt }) => prompt));
  });

  it("leaves a run folder: adapter, the two newest saved steps, metrics as lines and as a table, manifest", () => {
    expect(readdirSync(run).sort()).toEqual(["adapter", "checkpoints", "manifest.json", "metrics.csv", "metrics.jsonl"]);
    expect(readdirSync(join(run, "checkpoints")).sort()).toEqual(["step-000006", "step-000008"]);
    expect(readdirSync(join(run, "checkpoints", "step-000008", "state")).sort()).toEqual(["optimizer.safetensors", "trainer.json"]);
    expect(JSON.parse(readFileSync(join(run, "adapter", "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      r: 4,
      lora_alpha: 8,
      target_modules: expect.arrayContaining(["model.layers.0.self_attn.q_proj"]),
    });
    const logged = metricsOf(run);
    const said = result.events.filter(({ event }) => event === "step" || event === "eval");
    expect(logged.filter(({ event }) => event !== "sample")).toEqual(said);
    const table = readFileSync(join(run, "metrics.csv"), "utf8").trimEnd().split("\n");
    expect(table[0]).toMatch(/^event,step,loss,gradNorm,learningRate,/);
    expect(table).toHaveLength(1 + said.length);
    const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({ options: { steps: 8, rank: 4, seed: 0, format: "nf4" }, backend: { threads: 1 }, adapter: null });
    expect(manifest.model.files.map(({ file }: { file: string }) => file)).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]),
    );
    expect(manifest.data.train.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("gives the same bits again, with two threads and with moments paged under a tenth of their size", async () => {
    const { folder, model, data } = fixtures();
    const other = join(folder, "again");
    const moments = 8 * (adapterBytes(run).length - 4000);
    const budget = ["--pager-budget", String(Math.max(8 * 4 * 96, Math.floor(moments / 10)))];
    const again = await qlora(["train", model, data, ...TRAIN, "--threads", "2", ...budget, "--out", other]);
    expect(again.stderr).toBe("");
    const losses = (r: Result): unknown[] => named(r, "step").map(({ loss, gradNorm }) => [loss, gradNorm]);
    expect(losses(again)).toEqual(losses(result));
    expect(adapterBytes(other).equals(adapterBytes(run))).toBe(true);
    const pager = named(again, "done")[0]!.pager as { bytesOut: number; peakResidentBytes: number };
    expect(pager.bytesOut).toBeGreaterThan(0);
    expect(pager.peakResidentBytes).toBeLessThanOrEqual(Number(budget[1]));
  });

  it("prints text for a person, ending with the command to type next", async () => {
    const { folder, model, data } = fixtures();
    const text = await qlora(["train", model, data, "--steps", "1", "--rank", "2", "--no-json", "--out", join(folder, "text")]);
    const lines = text.stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.slice(2, 12).trim())).toEqual(
      expect.arrayContaining(["data", "tokens", "loss on", "preview", "memory", "plan", "step 0", "saved", "next"]),
    );
    expect(lines[0]).toMatch(/10 train · 4 valid · chat \(messages\)/);
    expect(lines.at(-1)).toBe(`  next      qlora chat ${join(folder, "text")}   |   qlora eval ${join(folder, "text")} ${data}`);
  });

  it("stops after the plan on a dry run, and writes nothing", async () => {
    const { folder, model, data } = fixtures();
    const dry = await qlora(["train", model, data, "--dry-run"], { cwd: folder });
    expect(dry.code).toBe(0);
    expect(named(dry, "plan")[0]).toMatchObject({ steps: 6, epochs: 3 });
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });

  it("puts a run that is given no folder into runs/<date>-<n>", async () => {
    const { folder, bare, ids } = fixtures();
    const first = await qlora(["train", bare, ids, "--steps", "1", "--rank", "2"], { cwd: folder });
    const second = await qlora(["train", bare, ids, "--steps", "1", "--rank", "2"], { cwd: folder });
    expect([first, second].map((r) => named(r, "done")[0]!.run)).toEqual([
      expect.stringMatching(/^runs\/\d{4}-\d\d-\d\d-1$/),
      expect.stringMatching(/^runs\/\d{4}-\d\d-\d\d-2$/),
    ]);
  });

  it("takes options from a file, and lets flags win", async () => {
    const { folder, bare, ids } = fixtures();
    const { writeFileSync } = await import("node:fs");
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ steps: 2, rank: 2, lr: 1e-3, "double-quant": false, "pager-budget": "1MiB" }));
    const made = await qlora(["train", bare, ids, "--config", config, "--rank", "3", "--dry-run"]);
    expect(named(made, "plan")[0]!.options).toMatchObject({ steps: 2, rank: 3, lr: 1e-3, doubleQuant: false, pagerBudget: 2 ** 20 });
  });

  it("starts from an adapter that is there, with its rank", async () => {
    const { folder, model, data } = fixtures();
    const next = join(folder, "next");
    const more = await qlora(["train", model, data, "--steps", "1", "--adapter", join(run, "adapter"), "--out", next]);
    expect(named(more, "eval")[0]!.loss).toBe(named(result, "eval")[2]!.loss);
    expect(JSON.parse(readFileSync(join(next, "manifest.json"), "utf8"))).toMatchObject({ options: { rank: 4, alpha: 8 } });
  });

  describe("and then", () => {
    it("qlora eval finds what train found", async () => {
      const { data, model } = fixtures();
      const [before, , after] = named(result, "eval");
      const base = await qlora(["eval", model, data, "--batch", "2"]);
      const trained = await qlora(["eval", run, data, "--batch", "2"]);
      const byHand = await qlora(["eval", model, data, "--batch", "2", "--adapter", join(run, "adapter")]);
      const numbers = ({ loss, perplexity, bitsPerByte, supervisedTokens }: Record<string, unknown>) => ({
        loss,
        perplexity,
        bitsPerByte,
        supervisedTokens,
      });
      expect(numbers(named(base, "eval")[0]!)).toEqual(numbers(before!));
      expect(numbers(named(trained, "eval")[0]!)).toEqual(numbers(after!));
      expect(numbers(named(byHand, "eval")[0]!)).toEqual(numbers(after!));
      expect(trained.events.at(-1)!.event).toBe("done");
    });

    it("qlora generate answers greedily, the same every time, as the samples did", async () => {
      const args = ["generate", run, "--prompt", "What is 0 and 1?", "--max-new-tokens", "48"];
      const [first, second] = [await qlora(args), await qlora(args)];
      const { text, ids, tokensPerSecond } = named(first, "generate")[0]!;
      expect(tokensPerSecond).toBeGreaterThan(0);
      expect(named(second, "generate")[0]).toMatchObject({ text, ids });
      expect(text).toBe(named(result, "sample")[6]!.text);
      expect(first.events.at(-1)!.event).toBe("done");
    });

    it("qlora generate draws the same with the same seed, and otherwise with another", async () => {
      const args = [
        "generate",
        run,
        "--raw",
        "--prompt",
        "What",
        "--temperature",
        "2",
        "--top-p",
        "0.95",
        "--top-k",
        "200",
        "--max-new-tokens",
        "24",
      ];
      const draws = [];
      for (const seed of ["1", "1", "2"]) draws.push(named(await qlora([...args, "--seed", seed]), "generate")[0]!.ids);
      expect(draws[1]).toEqual(draws[0]);
      expect(draws[2]).not.toEqual(draws[0]);
    });

    it("qlora generate prints the text alone where a person has piped it", async () => {
      const args = ["generate", run, "--prompt", "What is 0 and 1?", "--max-new-tokens", "8"];
      const [event, text] = [await qlora(args), await qlora([...args, "--no-json"])];
      expect(text.stdout).toBe(`${named(event, "generate")[0]!.text}\n`);
    });

    it("qlora chat answers turn by turn and ends with /exit", async () => {
      const said = await qlora(["chat", run, "--max-new-tokens", "8"], { input: "What is 0 and 1?\nAnd then?\n/exit\nnot read\n" });
      expect(said.code).toBe(0);
      const answers = named(said, "generate");
      expect(answers).toHaveLength(2);
      expect(answers[1]!.promptTokens).toBeGreaterThan(answers[0]!.promptTokens as number);
      expect(said.events.at(-1)!.event).toBe("done");
    });

    it("works on ids alone where the folder has no tokenizer", async () => {
      const { folder, bare, ids } = fixtures();
      const out = join(folder, "ids-run");
      const trained = await qlora(["train", bare, ids, "--steps", "2", "--rank", "2", "--out", out]);
      expect(trained.code).toBe(0);
      const evaluated = await qlora(["eval", out, ids]);
      expect(named(evaluated, "eval")[0]).toMatchObject({ bitsPerByte: null, supervisedTokens: 18 });
      const generated = await qlora(["generate", out, "--prompt-ids", "1,5,6", "--max-new-tokens", "4"]);
      expect((named(generated, "generate")[0]!.ids as number[]).length).toBeLessThanOrEqual(4);
    });
  });
});
