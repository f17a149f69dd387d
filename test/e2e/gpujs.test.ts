// The command on the backend to read: the CPU's losses, and the same answer.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { named, qlora } from "./command.ts";
import { useFixtures } from "./fixtures.ts";
import { MICRO_MODEL, microRun } from "./micro-run.ts";

const fixtures = useFixtures();
const RUN = microRun(2);

describe("the command on gpu.js", () => {
  it("trains to the CPU's losses, and says what computes", async () => {
    const losses = async (backend: string): Promise<number[]> => {
      const result = await qlora(["train", ...RUN, "--steps", "4", "--backend", backend, "--out", join(fixtures().folder, backend)]);
      expect(result.code, result.stderr).toBe(0);
      if (backend === "gpujs") expect(named(result, "backend")[0]!.words).toMatch(/^gpujs · /);
      return named(result, "step").map(({ loss }) => loss as number);
    };
    const want = await losses("cpu");
    const got = await losses("gpujs");
    expect(got.length).toBe(4);
    for (const [i, loss] of want.entries()) expect(Math.abs(got[i]! / loss - 1), `step ${i + 1}: ${got[i]} and ${loss}`).toBeLessThan(1e-4);
  });

  it("generates what the CPU does", async () => {
    const ask = ["generate", MICRO_MODEL, "--prompt", "What colour is the sky?", "--temperature", "0", "--max-new-tokens", "6"];
    const [cpu, gpujs] = [await qlora(ask), await qlora([...ask, "--backend", "gpujs"])];
    expect(gpujs.code, gpujs.stderr).toBe(0);
    expect(named(gpujs, "generate")[0]!.ids).toEqual(named(cpu, "generate")[0]!.ids);
  });
});
