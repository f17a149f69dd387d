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
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "ERR_MODULE_NOT_FOUND"
        ? "which is not installed. Install it with: npm install webgpu"
        : `which did not load: ${message}. Use --backend cpu, or install it anew with: npm install webgpu`;
    throw new UnsupportedError(`webgpu: Node reaches a GPU through the package \`webgpu\`, ${why}`, { cause: error });
  }
}

const NOBODY = new Int32Array(new SharedArrayBuffer(4));
const LONGEST_PAUSE = 4; // milliseconds

/**
 * Dawn asks whether the device has finished once in each turn of the event loop, and turns it as fast as that goes: a core that does nothing else, which a GPU
 * in software could use. So a turn lasts a sixteenth of what has been waited for.
 */
async function patiently<T>(waiting: Promise<T>): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  waiting.then(settle, settle);
  const begun = performance.now();
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!settled) Atomics.wait(NOBODY, 0, 0, Math.min(LONGEST_PAUSE, (performance.now() - begun) / 16));
  }
  return waiting;
}

const DRIVER = "install the graphics driver (on Linux a Vulkan one), or use --backend cpu";

// what Dawn takes on Linux is a Vulkan driver, and the Vulkan loader finds it by the first variable; Chromium brings both
const IN_SOFTWARE =
  "install Mesa's Vulkan drivers (Debian's and Ubuntu's package mesa-vulkan-drivers), or set VK_ICD_FILENAMES to the file vk_swiftshader_icd.json of a Chrome or " +
  "Chromium, and LD_LIBRARY_PATH to the folder it lies in if there is no libvulkan.so.1 yet (npm run qlora does so in a clone), or use --backend cpu";

export const platform: Platform = {
  gpu: async () => (await loadDawn()).create([]),
  advice: DRIVER,
  softwareAdvice: process.platform === "linux" ? IN_SOFTWARE : DRIVER,
  patiently,
};
