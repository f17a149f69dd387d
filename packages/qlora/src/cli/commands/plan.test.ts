import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { UsageError } from "../../error.ts";
import { planCommand } from "./plan.ts";

vi.setConfig({ testTimeout: 60_000 });

const CONFIG = {
  model_type: "llama",
  vocab_size: 256,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  torch_dtype: "float32",
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qlora-plan-"));
  writeFileSync(join(folder, "config.json"), JSON.stringify(CONFIG));
  const rows = [12, 30, 20].map((n) => ({ input_ids: Array(n).fill(7), labels: Array(n).fill(7) }));
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function plan(...args: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const program = new Command().exitOverride();
  planCommand(program, "plan", { write: (text) => printed.push(text) });
  await program.parseAsync(["plan", ...args], { from: "user" });
  return printed.join("");
}
const events = async (...args: readonly string[]): Promise<Record<string, never>[]> =>
  (await plan(...args, "--json"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("qlora plan", () => {
  it("plans for a shape that is shipped, three methods side by side", async () => {
    const [told, done, ...more] = await events("llama-33b", "--memory", "8GB");
    expect(told).toMatchObject({
      event: "plan",
      model: "llama-33b",
      method: "qlora",
      fits: false,
      fitsIn: { full16: [], lora: [80], qlora: [24, 48, 80] },
    });
    expect(Object.keys(told!.methods!)).toEqual(["full16", "lora", "qlora"]);
    expect(Object.keys(told!.components!)).toContain("activations");
    expect(done).toEqual({ event: "done" });
    expect(more).toEqual([]);
  });

  it("plans for a config.json alone, with rows of 512 tokens or as many as the model has positions", async () => {
    const [told] = await events(join(folder, "config.json"));
    expect(told).toMatchObject({ length: 128, fits: true });
    expect(told).not.toHaveProperty("steps");
    expect(await plan(join(folder, "config.json"), "--length", "64", "--no-json")).toContain(
      "2 rows of 64 tokens, all supervised · no DATA given",
    );
  });

  it("plans steps and tokens for data, and memory for its longest rows", async () => {
    const [told] = await events(folder, join(folder, "rows.jsonl"), "--batch", "2", "--accumulate", "1", "--epochs", "2");
    expect(told).toMatchObject({ batch: 2, length: 30, steps: 4, stepsPerEpoch: 2, epochs: 2, tokens: 124 });
    expect(await plan(folder, join(folder, "rows.jsonl"), "--no-json")).toMatch(/steps +3 steps · 3 epochs of 1 · 186 tokens/);
  });

  it("says how many bits a weight takes", async () => {
    expect(await plan(folder, "--no-json")).toContain("NF4, 4 + 8/64 + 32/(64·256) = 4.127 bits each");
    expect(await plan(folder, "--no-json", "--format", "fp4", "--no-double-quant", "--block-size", "128")).toContain(
      "FP4, 4 + 32/128 = 4.250 bits each",
    );
  });

  it("tells three changes where the memory is too little", async () => {
    const run = [folder, "--memory", "101MB", "--rank", "64"];
    const [told] = await events(...run);
    expect(told!.changes).toHaveLength(3);
    const text = await plan(...run, "--no-json");
    expect(text).toMatch(
      /does not fit: .* are needed, --memory allows 101 MB\.\n {2}The cheapest changes:\n( {4}(--|without).* saves .*\n){3}$/,
    );
  });

  it("keeps everything where it is told to", async () => {
    const [told] = await events(folder, "--no-checkpointing");
    expect(told).toMatchObject({ recompute: ["nothing", "nothing"] });
  });

  it("refuses what it cannot plan for", async () => {
    await expect(plan("lama-65b")).rejects.toThrow(/^lama-65b: is no folder.*Did you mean "llama-65b"\?$/);
    await expect(plan("llama-7b", join(folder, "rows.jsonl"))).rejects.toThrow(UsageError);
    await expect(plan(folder, "--length", "129")).rejects.toMatchObject({ where: "--length", fields: { length: 129, maxPositions: 128 } });
    await expect(plan(folder, "--targets", "q_porj")).rejects.toMatchObject({ where: "--targets" });
    await expect(plan(folder, "--memory", "lots")).rejects.toMatchObject({ where: "--memory" });
  });
});
