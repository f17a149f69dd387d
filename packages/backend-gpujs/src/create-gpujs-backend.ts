// Opens the backend in one of gpu.js's modes. gpu.js is loaded here, when it is wanted: who uses another backend need not have it.
import { UnsupportedError } from "@qlora-js/core";
import { GpuJsBackend, type GpuJsMode } from "./backend.ts";
import type { Engine } from "./engine.ts";

/** Which of gpu.js's modes computes. */
export interface GpuJsBackendOptions {
  /** WebGL2 where there is a browser's canvas, else JavaScript on the processor. */
  readonly mode?: GpuJsMode;
}

/**
 * A backend of gpu.js kernels.
 * @throws UnsupportedError where gpu.js is not installed, or WebGL2 is asked for and there is none that renders f32
 */
export async function createGpuJsBackend({ mode = usualMode() }: GpuJsBackendOptions = {}): Promise<GpuJsBackend> {
  return new GpuJsBackend(mode, await openEngine(mode));
}

const usualMode = (): GpuJsMode => (typeof OffscreenCanvas === "undefined" ? "cpu" : "webgl2");

async function openEngine(mode: GpuJsMode): Promise<Engine> {
  try {
    if (mode === "webgl2") return (await import("./texture-engine.ts")).openTextureEngine();
    const { ArrayEngine } = await import("./array-engine.ts");
    return new ArrayEngine(mode);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new UnsupportedError(
      'gpujs: gpu.js is not installed. Install it: `npm install gpu.js`, with "overrides": { "gl": "npm:empty-npm-package@1.0.0" } in package.json.',
      { cause: error },
    );
  }
}
