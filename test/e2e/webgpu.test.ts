// The command on a GPU: the CPU's losses, a device that is lost on the way, runs that move from one to the other.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutWebGpu } from "../backends.ts";
import { length } from "../length.ts";
import { adapterBytes, named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";
import { MICRO, MICRO_MODEL, microRun } from "./micro-run.ts";

const fixtures = useFixtures();
const GPU = ["--backend", "webgpu:software"];
const STEPS = length(6, 50);
/** Longest first, so that a short run takes the memory that was foreseen for the longest rows. */
const rowsOf = (part: string): string[] =>
  readFileSync(join(MICRO, "demo", part), "utf8")
    .trimEnd()
    .split("\n")
    .sort((a, b) => b.length - a.length);
const run = (): string[] => microRun(1).with(1, join(fixtures().folder, "long.jsonl"));
const train = (out: string, ...more: string[]): Promise<Result> =>
  qlora(["train", ...run(), "--out", join(fixtures().folder, out), ...more]);

const losses = (result: Result): number[] => named(result, "step").map(({ loss }) => loss as number);

function expectNear(got: readonly number[], want: readonly number[], relative: number): void {
  expect(got.length).toBe(want.length);
  for (const [i, loss] of want.entries())
    expect(Math.abs(got[i]! / loss - 1), `step ${i + 1}: ${got[i]} and ${loss}`).toBeLessThan(relative);
}

describe.skipIf(withoutWebGpu !== undefined)(`the command on WebGPU${withoutWebGpu ? ` (skipped: ${withoutWebGpu})` : ""}`, () => {
  let onCpu: number[];
  /** A run that nothing happens to. */
  let gpu: Result;
  beforeAll(async () => {
    writeFileSync(join(fixtures().folder, "long.jsonl"), rowsOf("train.jsonl").slice(0, 12).join("\n"));
    onCpu = losses(await train("cpu", "--steps", String(STEPS + 2)));
    gpu = await train("gpu", "--steps", String(STEPS), "--save-every", "2", ...GPU);
  });

  it("trains to the CPU's losses, and says what computes", () => {
    expect(gpu.code, gpu.stderr).toBe(0);
    expect(named(gpu, "backend")[0]!.words).toMatch(/^webgpu · .+ · buffers up to \d+ MiB, bindings up to \d+ MiB$/);
    expectNear(losses(gpu), onCpu.slice(0, STEPS), 1e-4);
    const { deviceBytes, predictedDeviceBytes } = named(gpu, "done")[0] as unknown as Record<string, number>;
    expect(deviceBytes! / predictedDeviceBytes!).toBeGreaterThan(0.9);
    expect(deviceBytes! / predictedDeviceBytes!).toBeLessThan(1.1);
  });

  it("goes on from the last saved step when the device is lost, to the same bits", async () => {
    const preload = new URL("lose-device.mjs", import.meta.url).href;
    const environment = { NODE_OPTIONS: `--import ${preload}`, QLORA_TEST_LOSE_AT: "2600" };
    const args = ["train", ...run(), "--out", join(fixtures().folder, "lost"), "--steps", String(STEPS), "--save-every", "2", ...GPU];
    const lost = await qlora(args, { environment });
    expect(lost.code, lost.stderr).toBe(0);
    const [{ reason }, ...others] = named(lost, "lost") as unknown as [{ reason: string }];
    expect(others).toEqual([]);
    expect(reason).toMatch(/the device was lost/);
    expect(named(lost, "run")[1]!.from).toBeGreaterThan(0);
    expect(adapterBytes(join(fixtures().folder, "lost"))).toEqual(adapterBytes(join(fixtures().folder, "gpu")));
  });

  it("resumes on the CPU what the GPU saved, and the other way", async () => {
    const goOn = async (name: string, steps: number, ...on: string[]): Promise<number[]> => {
      const gone = await qlora(["train", "--resume", join(fixtures().folder, name), "--steps", String(steps), "--no-samples", ...on]);
      expect(gone.code, gone.stderr).toBe(0);
      return losses(gone);
    };
    expectNear(await goOn("gpu", STEPS + 2), onCpu.slice(STEPS), 1e-4);
    await train("to-gpu", "--steps", "2");
    expectNear(await goOn("to-gpu", 4, ...GPU), onCpu.slice(2, 4), 1e-4);
  });

  it("generates and evaluates as the CPU does", async () => {
    const ask = ["generate", MICRO_MODEL, "--prompt", "What colour is the sky?", "--temperature", "0", "--max-new-tokens", "12"];
    const [cpu, gpu] = [await qloraHere(ask), await qloraHere([...ask, ...GPU])];
    expect(named(gpu, "generate")[0]!.ids).toEqual(named(cpu, "generate")[0]!.ids);
    const judge = ["eval", MICRO_MODEL, join(fixtures().folder, "few.jsonl")];
    writeFileSync(judge[2]!, rowsOf("valid.jsonl").slice(0, 16).join("\n"));
    const [one, two] = [await qloraHere(judge), await qloraHere([...judge, ...GPU])].map(
      (result) => named(result, "eval")[0]!.loss as number,
    );
    expect(Math.abs(two! / one! - 1)).toBeLessThan(1e-5);
  });
});

describe("without a GPU", () => {
  const environment = { VK_ICD_FILENAMES: "none", VK_DRIVER_FILES: "none" }; // no Vulkan driver is found
  const ask = ["generate", MICRO_MODEL, "--prompt", "hi", "--max-new-tokens", "2"];
  const linux = process.platform === "linux";

  it.skipIf(!linux)("refuses --backend webgpu, with what to do", async () => {
    const { code, stderr } = await qlora([...ask, "--backend", "webgpu"], { environment });
    expect(code).toBe(2);
    expect(stderr).toMatch(/webgpu: no adapter was found\. To get one: install the graphics driver/);
  });

  it.skipIf(!linux)("takes the CPU with --backend auto, and says why", async () => {
    const result = await qlora([...ask, "--backend", "auto"], { environment });
    expect(result.code).toBe(0);
    expect(named(result, "backend")[0]).toMatchObject({ name: "cpu", words: expect.stringContaining("auto found no GPU") });
  });
});
