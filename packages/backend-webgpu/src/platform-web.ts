// WebGPU in a browser, in a page or a worker.
import { UnsupportedError } from "@qlora-js/core";
import type { Platform } from "./platform.ts";

const ADVICE = "look at the browser's page on graphics for what it says of WebGPU, or use the CPU backend (WebAssembly)";

export const platform: Platform = {
  gpu: async () => {
    if (globalThis.isSecureContext === false)
      throw new UnsupportedError("webgpu: browsers offer WebGPU to secure pages only. Open the page by https:// or from localhost.");
    if (!globalThis.navigator?.gpu) throw new UnsupportedError("webgpu: this browser has no WebGPU. Use the CPU backend (WebAssembly).");
    return navigator.gpu;
  },
  advice: ADVICE,
  softwareAdvice: ADVICE,
  patiently: (waiting) => waiting,
};
