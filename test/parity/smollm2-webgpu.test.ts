// The first steps of the same run as smollm2-command.test.ts, on the GPU (software where there is no other, which takes a minute).
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withoutWebGpu } from "../backends.ts";
import { named, qlora } from "../e2e/command.ts";
import { length } from "../length.ts";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

const STEPS = length(2, 3);
const missing = hasSmolLm2 ? withoutWebGpu : "../shared has no SmolLM2";

describe.skipIf(missing !== undefined)(`qlora train on SmolLM2 with WebGPU${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it(`has PEFT's loss and gradient norm in the first ${STEPS} steps, to 1e-4`, { timeout: 600_000 }, async () => {
    const { train } = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as {
      readonly train: { readonly steps: readonly { readonly loss: number; readonly grad_norm: number }[] };
    };
    const folder = mkdtempSync(join(tmpdir(), "qlora-smollm2-webgpu-"));
    const [data, adapter] = [join(SMOLLM2_REFERENCE, "train.jsonl"), join(SMOLLM2_REFERENCE, "adapter")];
    const as = `--order file --batch 2 --accumulate 1 --lr 1e-3 --schedule constant --clip 0.3 --steps ${STEPS} --no-samples --backend webgpu:software`;
    const run = await qlora(["train", smolLm2Folder(), data, "--adapter", adapter, ...as.split(" "), "--out", join(folder, "run")]);
    rmSync(folder, { recursive: true, force: true });
    expect(run.code, run.stderr).toBe(0);
    const steps = named(run, "step") as unknown as { loss: number; gradNorm: number }[];
    expect(steps).toHaveLength(STEPS);
    for (const [i, { loss, gradNorm }] of steps.entries()) {
      expect(Math.abs(loss / train.steps[i]!.loss - 1), `loss of step ${i + 1}`).toBeLessThan(1e-4);
      expect(Math.abs(gradNorm / train.steps[i]!.grad_norm - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-4);
    }
  });
});
