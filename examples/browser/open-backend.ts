// The switch: the backend that was asked for, or the best that is there, with the reason. Only the code of the one that is used is loaded.
import type { BytesInUse } from "@qlora-js/backend-gpujs";
import type { WebGpuBackend, Workspace } from "@qlora-js/backend-webgpu";
import type { Backend } from "@qlora-js/core";
import type { BackendName, Device } from "./messages.ts";

export interface OpenBackend {
  readonly backend: Backend;
  readonly device: Device;
  /** For a device that compiles programs: takes note of what will run, and compiles it together. */
  readonly ahead?: Pick<WebGpuBackend, "note" | "compile">;
  /** What lies in textures now, and the most there was, in bytes; of WebGL2 alone. */
  readonly textureBytes?: () => BytesInUse;
  /** What its kernels take while they run; the CPU's where left out. */
  readonly workspace?: Workspace;
}

const SOFTWARE = "This GPU is software on the processor: right, but slower than WebAssembly.";
const TEXELS = "A number takes 32 bits in a texture, so 4-bit weights are computed with here, but save no memory.";
const INSTEAD = "The model learns on WebAssembly instead.";
const ONE_THREAD =
  "One thread only: this page is not cross-origin isolated, so the browser shares no memory between threads. " +
  "The server has to send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.";

/**
 * Automatic is WebGPU; else WebAssembly with threads; else WebGL2 or WebAssembly on one thread, whichever was faster in a trial.
 * @throws DeviceError if not even WebAssembly can be had
 */
export async function openBackend(wanted: BackendName): Promise<OpenBackend> {
  if (wanted === "wasm") return openWasm();
  if (wanted === "webgl2") return openWebGl().catch(async (error: unknown) => noted(await openWasm(), [`${whyNoWebGl(error)} ${INSTEAD}`]));
  try {
    return await openWebGpu(wanted === "auto" ? "webgpu" : wanted);
  } catch (error) {
    const { why, softwareOnly } = await whyNoWebGpu(error);
    if (wanted === "auto") return noted(await openWithoutWebGpu(), [why], softwareOnly);
    return noted(await openWasm(), [`${why} ${INSTEAD}`], softwareOnly);
  }
}

/** Threads beat a trial's noise; where there is one, it is measured. */
async function openWithoutWebGpu(): Promise<OpenBackend> {
  const wasm = await openWasm();
  if (wasm.threads > 1) return wasm;
  let webGl: OpenBackend;
  try {
    webGl = await openWebGl();
  } catch (error) {
    return noted(wasm, [whyNoWebGl(error)]);
  }
  const { fasterOf } = await import("./trial.ts");
  const { faster, slower, words } = await fasterOf({ name: "WebAssembly on one thread", ...wasm }, { name: "WebGL2", ...webGl });
  slower.backend.dispose();
  return noted(faster, [words]);
}

/** With notes before its own. */
const noted = (open: OpenBackend, notes: readonly string[], softwareOnly = open.device.softwareOnly): OpenBackend => ({
  ...open,
  device: { ...open.device, notes: [...notes, ...open.device.notes], softwareOnly },
});

async function openWebGpu(wanted: "webgpu" | "webgpu:software"): Promise<OpenBackend> {
  const { createWebGpuBackend, workspaceOfGpu } = await import("@qlora-js/backend-webgpu");
  const backend = await createWebGpuBackend({ software: wanted === "webgpu:software" });
  const { description, software } = backend.facts;
  const notes = software ? [SOFTWARE] : [];
  const device = { backend: wanted, title: `WebGPU: ${description}`, notes, softwareOnly: software };
  return { backend, ahead: backend, device, workspace: workspaceOfGpu({ software }) };
}

async function openWebGl(): Promise<OpenBackend> {
  const { createGpuJsBackend } = await import("@qlora-js/backend-gpujs");
  const backend = await createGpuJsBackend({ mode: "webgl2" });
  const { device, software } = backend.facts;
  return {
    backend,
    textureBytes: () => backend.textureBytes,
    device: { backend: "webgl2", title: `WebGL2: ${device}`, notes: [...(software ? [SOFTWARE] : []), TEXELS], softwareOnly: false },
  };
}

async function openWasm(): Promise<OpenBackend & { readonly threads: number }> {
  const { createCpuBackend } = await import("@qlora-js/backend-cpu");
  const backend = await createCpuBackend();
  const { threads } = backend;
  const title = `WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}`;
  const notes = globalThis.crossOriginIsolated ? [] : [ONE_THREAD];
  return { backend, threads, device: { backend: "wasm", title, notes, softwareOnly: false } };
}

async function whyNoWebGpu(error: unknown): Promise<{ readonly why: string; readonly softwareOnly: boolean }> {
  const because = (why: string, softwareOnly = false) => ({ why, softwareOnly });
  if (!globalThis.isSecureContext) return because("WebGPU needs an address with https, or localhost.");
  if (!("gpu" in navigator)) return because("This browser has no WebGPU.");
  const { UnsupportedError } = await import("@qlora-js/core");
  if (!(error instanceof UnsupportedError)) return because(`WebGPU did not start (${String(error)}).`);
  if (await navigator.gpu.requestAdapter()) return because("The only GPU here is one in software, slower than WebAssembly.", true);
  return because("This browser found no GPU that it may use.");
}

const whyNoWebGl = (error: unknown): string => `WebGL2 did not start (${error instanceof Error ? error.message : String(error)}).`;
