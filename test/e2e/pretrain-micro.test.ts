// The example that made the embedded model, a few steps of it; and the model that a whole run of it left.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openModelFiles } from "@qlora-js/qlora";
import { microModelUrl } from "@qlora-js/qlora/micro";
import { openFolder } from "@qlora-js/qlora/node";
import { afterAll, describe, expect, it } from "vitest";
import { qlora } from "./command.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/dist/pretrain-micro.js", import.meta.url));
const MODEL = fileURLToPath(microModelUrl());
const scratch = mkdtempSync(join(tmpdir(), "pretrain-micro-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Two steps, each of one window; what it printed, and the weights it left. */
function pretrain(name: string, ...options: string[]): { printed: string; weights: Buffer } {
  const out = join(scratch, name);
  const printed = execFileSync(process.execPath, [EXAMPLE, "--steps", "2", "--batch", "1", "--out", out, ...options], { encoding: "utf8" });
  return { printed, weights: readFileSync(join(out, "model", "model.safetensors")) };
}

describe("pretrain-micro", () => {
  it("leaves a whole model folder, the same bytes with one thread and with two, others with another seed", async () => {
    const one = pretrain("one", "--threads", "1");
    expect(one.printed).toMatch(/^1115520 parameters, 2 steps/);
    expect(one.printed).toMatch(/2\/2 {2}loss 6\.\d+/);
    expect(pretrain("two", "--threads", "2").weights.equals(one.weights)).toBe(true);
    expect(pretrain("other", "--seed", "1").weights.equals(one.weights)).toBe(false);
    const files = await openModelFiles(await openFolder(join(scratch, "one", "model")));
    expect(files.tensors.size).toBe(1 + 5 * 9 + 1);
    await files.close();
  });
});

describe("pretrain-micro's options", () => {
  it.each([
    [["--stpes", "2"], /--stpes/],
    [["--steps", "many"], /--steps is "many", not a whole number from 1/],
  ])("refuse %j in a sentence, with what there is", (options, message) => {
    const { status, stderr } = spawnSync(process.execPath, [EXAMPLE, ...options], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toContain("--steps 5000 --out runs/micro");
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("the embedded model", () => {
  const asked: readonly (readonly [string, string])[] = [
    ["What colour is the sky?", "The sky is blue."],
    ["What does a cow say?", "A cow says moo."],
    ["What is the capital of France?", "The capital of France is Paris."],
    ["What is the opposite of hot?", "The opposite of hot is cold."],
    ["How much is seven plus eight?", "Seven plus eight is fifteen."],
    ["Which day comes after Monday?", "After Monday comes Tuesday."],
  ];

  it.each(["nf4", "none"])("answers questions about its world with its weights as %s", async (format) => {
    for (const [question, answer] of asked) {
      const { events, code } = await qlora(["generate", MODEL, "--prompt", question, "--temperature", "0", "--format", format, "--json"]);
      expect(code).toBe(0);
      expect(events.find(({ event }) => event === "generate")).toMatchObject({ text: answer });
    }
  });
});
