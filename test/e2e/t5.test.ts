// The command on a model with an encoder: a tiny T5 of random weights learns to answer, and does.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";
import { writeTinyModel } from "./tiny-model.ts";

const fixtures = useFixtures();

const CONFIG = {
  model_type: "t5",
  vocab_size: 1024,
  d_model: 64,
  d_kv: 16,
  d_ff: 96,
  num_layers: 2,
  num_heads: 4,
  feed_forward_proj: "gated-gelu",
  tie_word_embeddings: false,
  decoder_start_token_id: 0,
  pad_token_id: 0,
  eos_token_id: 2,
  is_encoder_decoder: true,
  torch_dtype: "bfloat16",
};
const COLORS = { red: "rot", blue: "blau", green: "gruen", white: "weiss", black: "schwarz", yellow: "gelb" };

describe("a T5", () => {
  let [model, data, run] = ["", "", ""];
  let trained: Result;
  beforeAll(async () => {
    const { folder } = fixtures();
    [model, data, run] = [join(folder, "t5"), join(folder, "colors.jsonl"), join(folder, "t5-run")];
    await writeTinyModel(model, { config: CONFIG });
    const rows = Object.entries(COLORS).map(([prompt, completion]) => JSON.stringify({ prompt, completion }));
    writeFileSync(data, rows.join("\n"));
    const options = [
      "--steps",
      "150",
      "--batch",
      "6",
      "--accumulate",
      "1",
      "--lr",
      "5e-3",
      "--schedule",
      "linear",
      "--clip",
      "1",
      "--rank",
      "8",
    ];
    trained = await qlora(["train", model, data, ...options, "--out", run, "--json"]);
  });

  it("learns over its 4-bit weights", () => {
    expect(trained.stderr).toBe("");
    expect(trained.code).toBe(0);
    const losses = named(trained, "step").map(({ loss }) => loss as number);
    // its random head, which is frozen, sets a floor
    expect(losses.at(-1)).toBeLessThan(0.25 * losses[0]!);
  });

  it.each(Object.entries(COLORS))("then answers %s with %s", async (prompt, completion) => {
    const { events } = await qloraHere(["generate", run, "--prompt", prompt, "--temperature", "0", "--json"]);
    expect(events.find(({ event }) => event === "generate")!.text).toBe(completion);
  });

  it("is merged into a model that answers alike", async () => {
    const merged = join(fixtures().folder, "t5-merged");
    const { code, stderr } = await qloraHere(["merge", run, "--to", merged, "--as", "safetensors", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const { events } = await qloraHere(["eval", merged, data, "--format", "none", "--json"]);
    const last = named(trained, "step").at(-1)!.loss as number;
    expect(Math.abs((events.find(({ event }) => event === "eval")!.loss as number) - last)).toBeLessThan(0.05);
  });

  it("shows its rows as the source, then what is learnt", async () => {
    const { events } = await qloraHere(["inspect", model, data, "--rows", "1"]);
    const tokens = events.find(({ event }) => event === "row")!.tokens as { text: string; kind: string }[];
    const textOf = (wanted: string): string => tokens.flatMap(({ kind, text }) => (kind === wanted ? [text] : [])).join("");
    expect([textOf("context"), textOf("supervised")]).toEqual(["red", "rot"]);
  });

  it("refuses rows of text, saying what to give", async () => {
    const text = join(fixtures().folder, "text.jsonl");
    writeFileSync(text, JSON.stringify({ text: "All of it." }));
    const { code, stderr } = await qloraHere(["inspect", model, text]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/encoder that reads a question\. Give prompt \+ completion/);
  });
});
