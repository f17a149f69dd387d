// Opens the backend in one of gpu.js's modes.
import { ArrayEngine } from "./array-engine.ts";
import { GpuJsBackend, type GpuJsMode } from "./backend.ts";

export interface GpuJsBackendOptions {
  /** WebGL2 where there is a browser's canvas, else JavaScript on the processor. */
  readonly mode?: GpuJsMode;
}

/**
 * A backend of gpu.js kernels.
 * @throws UnsupportedError where WebGL2 is asked for and there is none, or none that renders f32
 */
export async function createGpuJsBackend({
  mode = typeof OffscreenCanvas === "undefined" ? "cpu" : "webgl2",
}: GpuJsBackendOptions = {}): Promise<GpuJsBackend> {
  if (mode !== "webgl2") return new GpuJsBackend(mode, new ArrayEngine(mode));
  const { openTextureEngine } = await import("./texture-engine.ts");
  return new GpuJsBackend(mode, openTextureEngine());
}
