// The switch: the backend that was asked for, or the one that is there, with the reason. Only the code of the one that is used is loaded.
import type { Backend } from "@qlora-js/core";
import type { BackendName, Device } from "./messages.ts";

export interface OpenBackend {
  readonly backend: Backend;
  readonly device: Device;
}

/** @throws DeviceError if not even WebAssembly can be had */
export async function openBackend(wanted: BackendName): Promise<OpenBackend> {
  const notes = wanted === "webgpu" ? [await whyNoWebGpu()] : [];
  return openWasm(notes);
}

async function openWasm(notes: readonly string[]): Promise<OpenBackend> {
  const { createCpuBackend } = await import("@qlora-js/backend-cpu");
  const backend = await createCpuBackend();
  const { threads } = backend;
  const why = globalThis.crossOriginIsolated
    ? []
    : [
        "One thread only: this page is not cross-origin isolated, so the browser shares no memory between threads. " +
          "The server has to send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
      ];
  const title = `WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}`;
  return { backend, device: { backend: "wasm", title, notes: [...notes, ...why] } };
}

async function whyNoWebGpu(): Promise<string> {
  const without = "so the model learns on WebAssembly instead.";
  if (!("gpu" in navigator)) return `This browser has no WebGPU, ${without}`;
  return `This page was built without WebGPU, ${without}`;
}
