// Programs that the device's compiler refuses: kernel, constants and line are told, by whoever waits next, each time they are used.
import { describe, expect, test } from "vitest";
import { createWebGpuBackend } from "./create-webgpu-backend.ts";
import type { Dispatch } from "./dispatch.ts";
import { ShaderError } from "./errors.ts";
import { Programs } from "./programs.ts";
import { absent, on } from "./webgpu.fixture.ts";

const dispatch = (wgsl: string, constants: Dispatch["constants"] = {}): Dispatch => ({
  name: "sample",
  constants,
  reads: {},
  writes: {},
  grid: { threads: 1 },
  wgsl: () => wgsl,
});
const BROKEN = dispatch("fn twice(x: f32) -> f32 { return x * 2.0; }\nfn thread(i: u32) { let y = thrice(1.0); }", { N: 3, fast: true });
const SOUND = dispatch("fn thread(i: u32) { let y = i; }");

describe.skipIf(absent !== "")(`programs, ${on}`, () => {
  test("that do not compile are refused with kernel, constants and line, again at the next use", async () => {
    const backend = await createWebGpuBackend({ software: true });
    const escaped: unknown[] = [];
    backend.device.addEventListener("uncapturederror", ({ error }) => escaped.push(error.message));
    const programs = new Programs(backend.device, backend.facts.maxBindingBytes);
    for (let use = 0; use < 2; use++) {
      programs.of(BROKEN);
      programs.of(SOUND);
      const error = await programs.check().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ShaderError);
      expect(error).toMatchObject({ kernel: "sample", constants: { N: 3, fast: true } });
      const { line, source, message } = error as ShaderError;
      expect(source.split("\n")[line - 1]).toContain("thrice(1.0)");
      expect(message).toContain("thrice(1.0)");
      expect(message).toContain('{"N":3,"fast":true}');
    }
    await programs.check();
    programs.of(SOUND);
    expect(programs.count).toBe(1);
    expect(escaped).toEqual([]);
    backend.dispose();
  });

  test("that are compiled beforehand are refused in the same way", async () => {
    const backend = await createWebGpuBackend({ software: true });
    const programs = new Programs(backend.device, backend.facts.maxBindingBytes);
    programs.note(BROKEN);
    await expect(programs.compile()).rejects.toMatchObject({ name: "ShaderError", kernel: "sample", constants: { N: 3, fast: true } });
    programs.note(SOUND);
    const progress: number[][] = [];
    await programs.compile((done, of) => progress.push([done, of]));
    expect(progress).toEqual([[1, 1]]);
    expect(programs.count).toBe(1);
    await programs.check();
    backend.dispose();
  });
});
