// The switch: the backend that was asked for, or the one that is there, with the reason. Only the code of the one that is used is loaded.
import type { WebGpuBackend, Workspace } from "@qlora-js/backend-webgpu";
import type { Backend } from "@qlora-js/core";
import type { BackendName, Device } from "./messages.ts";

export interface OpenBackend {
  readonly backend: Backend;
  readonly device: Device;
  /** For a device that compiles programs: takes note of what will run, and compiles it together. */
  readonly ahead?: Pick<WebGpuBackend, "note" | "compile">;
  /** What its kernels take while they run; the CPU's where left out. */
  readonly workspace?: Workspace;
}

const INSTEAD = "The model learns on WebAssembly instead.";
const ONE_THREAD =
  "One thread only: this page is not cross-origin isolated, so the browser shares no memory between threads. " +
  "The server has to send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.";

/** @throws DeviceError if not even WebAssembly can be had */
export async function openBackend(wanted: BackendName): Promise<OpenBackend> {
  if (wanted === "wasm") return openWasm();
  try {
    return await openWebGpu(wanted);
  } catch (error) {
    const { backend, device } = await openWasm();
    return { backend, device: { ...device, ...(await whyNoWebGpu(error)) } };
  }
}

async function openWebGpu(wanted: "webgpu" | "webgpu:software"): Promise<OpenBackend> {
  const { createWebGpuBackend, workspaceOfGpu } = await import("@qlora-js/backend-webgpu");
  const backend = await createWebGpuBackend({ software: wanted === "webgpu:software" });
  const { description, software } = backend.facts;
  const notes = software ? ["This GPU is software on the processor: right, but slower than WebAssembly."] : [];
  const device = { backend: wanted, title: `WebGPU: ${description}`, notes, softwareOnly: software };
  return { backend, ahead: backend, device, workspace: workspaceOfGpu({ software }) };
}

async function openWasm(): Promise<OpenBackend> {
  const { createCpuBackend } = await import("@qlora-js/backend-cpu");
  const backend = await createCpuBackend();
  const { threads } = backend;
  const title = `WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}`;
  const notes = globalThis.crossOriginIsolated ? [] : [ONE_THREAD];
  return { backend, device: { backend: "wasm", title, notes, softwareOnly: false } };
}

async function whyNoWebGpu(error: unknown): Promise<Pick<Device, "notes" | "softwareOnly">> {
  const isolation = globalThis.crossOriginIsolated ? [] : [ONE_THREAD];
  const because = (why: string, softwareOnly = false) => ({ notes: [`${why} ${INSTEAD}`, ...isolation], softwareOnly });
  if (!globalThis.isSecureContext) return because("WebGPU needs an address with https, or localhost.");
  if (!("gpu" in navigator)) return because("This browser has no WebGPU.");
  const { UnsupportedError } = await import("@qlora-js/core");
  if (!(error instanceof UnsupportedError)) return because(`WebGPU did not start (${String(error)}).`);
  if (await navigator.gpu.requestAdapter()) return because("The only GPU here is one in software, slower than WebAssembly.", true);
  return because("This browser found no GPU that it may use.");
}
