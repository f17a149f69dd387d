// SmolLM2-135M through the real command: the 20 steps that transformers, PEFT and bitsandbytes took from the same adapter on the same rows
// (reference/smollm2/golden.json, made by make_smollm2.py), and what the model says then.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { named, qlora, type Result } from "../e2e/command.ts";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

interface Golden {
  readonly train: { readonly steps: readonly { readonly loss: number; readonly grad_norm: number; readonly supervised: number }[] };
  readonly nf4_dq: { readonly prompts: readonly { readonly question: string; readonly text: string }[] };
}

const reason = hasSmolLm2 ? "" : " (skipped: ../shared has no SmolLM2)";

describe.skipIf(!hasSmolLm2)(`qlora train on SmolLM2${reason}`, () => {
  let folder: string;
  let model: string;
  let golden: Golden;
  let result: Result;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "qlora-smollm2-"));
    model = smolLm2Folder();
    golden = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as Golden;
    const as = "--order file --batch 2 --lr 1e-3 --schedule constant --clip 0.3 --steps 20 --no-samples --threads 2".split(" ");
    const [data, adapter] = [join(SMOLLM2_REFERENCE, "train.jsonl"), join(SMOLLM2_REFERENCE, "adapter")];
    result = await qlora(["train", model, data, "--adapter", adapter, ...as, "--out", join(folder, "run")]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has PEFT's loss and gradient norm at each of 20 steps, to 1e-4", () => {
    expect(result.stderr).toBe("");
    const steps = named(result, "step") as unknown as { step: number; loss: number; gradNorm: number; supervisedTokens: number }[];
    expect(steps).toHaveLength(20);
    for (const { step, loss, gradNorm, supervisedTokens } of steps) {
      const theirs = golden.train.steps[step - 1]!;
      expect(supervisedTokens).toBe(theirs.supervised);
      expect(Math.abs(loss / theirs.loss - 1), `loss of step ${step}`).toBeLessThan(1e-4);
      expect(Math.abs(gradNorm / theirs.grad_norm - 1), `gradient norm of step ${step}`).toBeLessThan(1e-4);
    }
  });

  it("then speaks like a pirate", async () => {
    const said = await qlora(["generate", join(folder, "run"), "--prompt", "What is the capital of France?", "--threads", "2"]);
    expect(named(said, "generate")[0]!.text).toBe("Arr, the capital of France be Paris.");
  });

  it("answers without the adapter as transformers does over bitsandbytes' NF4", async () => {
    const { question, text } = golden.nf4_dq.prompts[0]!;
    const said = await qlora(["generate", model, "--prompt", question, "--max-new-tokens", "32", "--threads", "2"]);
    expect(named(said, "generate")[0]!.text).toBe(text);
  });
});
