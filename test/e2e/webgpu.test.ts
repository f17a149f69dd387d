// The command on a GPU: the CPU's losses, a device that is lost on the way, runs that move from one to the other.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutWebGpu } from "../backends.ts";
import { adapterBytes, named, qlora, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";
import { MICRO, MICRO_MODEL, microRun } from "./micro-run.ts";

const fixtures = useFixtures();
const GPU = ["--backend", "webgpu:software"];
const RUN = microRun(1);
const train = (out: string, ...more: string[]): Promise<Result> => qlora(["train", ...RUN, "--out", join(fixtures().folder, out), ...more]);

const losses = (result: Result): number[] => named(result, "step").map(({ loss }) => loss as number);

function expectNear(got: readonly number[], want: readonly number[], relative: number): void {
  expect(got.length).toBe(want.length);
  for (const [i, loss] of want.entries())
    expect(Math.abs(got[i]! / loss - 1), `step ${i + 1}: ${got[i]} and ${loss}`).toBeLessThan(relative);
}

describe.skipIf(withoutWebGpu !== undefined)(`the command on WebGPU${withoutWebGpu ? ` (skipped: ${withoutWebGpu})` : ""}`, () => {
  let onCpu: number[];
  beforeAll(async () => {
    onCpu = losses(await train("cpu", "--steps", "50"));
  });

  it("trains to the CPU's losses, and says what computes", async () => {
    const gpu = await train("gpu", "--steps", "50", ...GPU);
    expect(gpu.code, gpu.stderr).toBe(0);
    expect(named(gpu, "backend")[0]!.words).toMatch(/^webgpu · .+ · buffers up to \d+ MiB$/);
    expectNear(losses(gpu), onCpu, 1e-4);
    const { deviceBytes, predictedDeviceBytes } = named(gpu, "done")[0] as unknown as Record<string, number>;
    expect(deviceBytes! / predictedDeviceBytes!).toBeGreaterThan(0.9);
    expect(deviceBytes! / predictedDeviceBytes!).toBeLessThan(1.1);
  });

  it("goes on from the last saved step when the device is lost, to the same bits", async () => {
    const whole = await train("whole", "--steps", "4", "--save-every", "2", ...GPU);
    expect(whole.code, whole.stderr).toBe(0);
    const preload = new URL("lose-device.mjs", import.meta.url).href;
    const environment = { NODE_OPTIONS: `--import ${preload}`, QLORA_TEST_LOSE_AT: "2600" };
    const args = ["train", ...RUN, "--out", join(fixtures().folder, "lost"), "--steps", "4", "--save-every", "2", ...GPU];
    const lost = await qlora(args, { environment });
    expect(lost.code, lost.stderr).toBe(0);
    const [{ reason }, ...others] = named(lost, "lost") as unknown as [{ reason: string }];
    expect(others).toEqual([]);
    expect(reason).toMatch(/the device was lost/);
    expect(named(lost, "run")[1]!.from).toBeGreaterThan(0);
    expect(adapterBytes(join(fixtures().folder, "lost"))).toEqual(adapterBytes(join(fixtures().folder, "whole")));
  });

  it("resumes on the CPU what the GPU saved, and the other way", async () => {
    for (const [name, first, then] of [
      ["to-cpu", GPU, []],
      ["to-gpu", [], GPU],
    ] as const) {
      const begun = await train(name, "--steps", "2", ...first);
      const run = join(fixtures().folder, name);
      const gone = await qlora(["train", "--resume", run, "--steps", "4", "--no-samples", ...then]);
      expect(gone.code, gone.stderr).toBe(0);
      expectNear([...losses(begun), ...losses(gone)], onCpu.slice(0, 4), 1e-4);
    }
  });

  it("generates and evaluates as the CPU does", async () => {
    const ask = ["generate", MICRO_MODEL, "--prompt", "What colour is the sky?", "--temperature", "0", "--max-new-tokens", "12"];
    const [cpu, gpu] = [await qlora(ask), await qlora([...ask, ...GPU])];
    expect(named(gpu, "generate")[0]!.ids).toEqual(named(cpu, "generate")[0]!.ids);
    const judge = ["eval", MICRO_MODEL, join(MICRO, "demo", "valid.jsonl")];
    const [one, two] = [await qlora(judge), await qlora([...judge, ...GPU])].map((result) => named(result, "eval")[0]!.loss as number);
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
