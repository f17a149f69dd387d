// WebGPU in Node: Dawn, Chromium's implementation, as the npm package `webgpu`. An optional peer: who wants only the CPU does not download it.
import { UnsupportedError } from "@qlora-js/core";
import type { Platform } from "./platform.ts";

interface DawnModule {
  create(flags: string[]): GPU;
}

const PACKAGE = "webgpu"; // a variable, so that bundlers and the compiler leave it to run time

async function loadDawn(): Promise<DawnModule> {
  try {
    return (await import(PACKAGE)) as DawnModule;
  } catch (error) {
    throw new UnsupportedError(
      "webgpu: Node reaches a GPU through the package `webgpu`, which did not load. Install it with: npm install webgpu",
      {
        cause: error,
      },
    );
  }
}

export const platform: Platform = {
  gpu: async () => (await loadDawn()).create([]),
  advice: "install the graphics driver (on Linux a Vulkan one), or use --backend cpu",
};
