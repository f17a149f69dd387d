// What a person is told where there is no GPU to be had. The machine's own GPU is not asked: the platform is a stand-in.
import { UnsupportedError } from "@qlora-js/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { factsOf } from "./adapter-facts.ts";
import { createWebGpuBackend } from "./create-webgpu-backend.ts";
import { platform as web } from "./platform-web.ts";

const answers = vi.hoisted(() => ({ adapter: null as unknown, asked: [] as unknown[] }));
vi.mock("#platform", () => ({
  platform: {
    advice: "plug one in",
    softwareAdvice: "take Mesa's",
    gpu: async () => ({
      requestAdapter: async (options: unknown) => {
        answers.asked.push(options);
        return answers.adapter;
      },
    }),
  },
}));
afterEach(() => {
  answers.adapter = null;
  answers.asked = [];
  vi.unstubAllGlobals();
});

const adapterNamed = (description: string, isFallbackAdapter = false): GPUAdapter =>
  ({ info: { description, isFallbackAdapter }, features: new Set(), limits: {} }) as unknown as GPUAdapter;

const messageOf = (made: Promise<unknown>): Promise<string> =>
  made.then(
    () => "nothing was refused",
    (error: unknown) => {
      expect(error).toBeInstanceOf(UnsupportedError);
      return String(error);
    },
  );

describe("createWebGpuBackend", () => {
  test("says how to get an adapter where there is none", async () => {
    expect(await messageOf(createWebGpuBackend())).toContain("plug one in");
    expect(await messageOf(createWebGpuBackend({ software: true }))).toContain("take Mesa's");
  });

  test("refuses a software adapter that was not asked for, with its name and what to do", async () => {
    for (const adapter of [adapterNamed("SwiftShader Device"), adapterNamed("llvmpipe (LLVM 17)"), adapterNamed("somebody's", true)]) {
      answers.adapter = adapter;
      const message = await messageOf(createWebGpuBackend());
      expect(message).toContain(adapter.info.description);
      expect(message).toContain("webgpu:software");
    }
    expect(answers.asked).not.toContainEqual({ forceFallbackAdapter: true });
  });
});

describe("facts of an adapter", () => {
  test("tell software from hardware by its name", () => {
    expect(factsOf(adapterNamed("Microsoft Basic Render Driver")).software).toBe(true);
    expect(factsOf(adapterNamed("GeForce RTX 4090")).software).toBe(false);
  });
});

describe("WebGPU in a browser", () => {
  test("is offered to secure pages alone", async () => {
    vi.stubGlobal("isSecureContext", false);
    expect(await messageOf(web.gpu())).toContain("https://");
  });

  test("is missing in some browsers, which have WebAssembly", async () => {
    vi.stubGlobal("isSecureContext", true);
    vi.stubGlobal("navigator", {});
    expect(await messageOf(web.gpu())).toContain("WebAssembly");
    const gpu = {};
    vi.stubGlobal("navigator", { gpu });
    expect(await web.gpu()).toBe(gpu);
  });
});
