// Which backend the command computes on. The one place that knows.
import type { WebGpuBackend } from "@qlora-js/backend-webgpu";
import { type Backend, UnsupportedError } from "@qlora-js/core";
import type { Workspace } from "../plan/workspace.ts";
import type { Manifest } from "../run/manifest.ts";
import { plural } from "./wording.ts";

/** What `--backend` may say. */
export const BACKEND_NAMES = ["cpu", "webgpu", "webgpu:software", "gpujs", "auto"] as const;

/** What the options say of it. */
export interface BackendChoice {
  readonly backend: (typeof BACKEND_NAMES)[number];
  /** Of the CPU; all processors where left out. */
  readonly threads: number | undefined;
  /** Of quantized weights on the device; no limit where left out. */
  readonly weightsBudget: number | undefined;
}

export interface OpenBackend {
  readonly backend: Backend;
  /** For the run's manifest. */
  readonly facts: Manifest["backend"];
  /** For people: what computes, and why where that was not said. */
  readonly words: string;
  /** For a device that compiles programs: takes note of what will run, and compiles it together. */
  readonly ahead?: Pick<WebGpuBackend, "note" | "compile">;
}

/**
 * Opens what was asked for.
 * @throws UnsupportedError if there is no such device here; `auto` always finds one
 */
export async function openBackend({ backend, threads }: Pick<BackendChoice, "backend" | "threads">): Promise<OpenBackend> {
  switch (backend) {
    case "cpu":
      return openCpu(threads);
    case "webgpu":
      return openGpu(false);
    case "webgpu:software":
      return openGpu(true);
    case "gpujs":
      return openGpuJs();
    case "auto":
      return openGpu(false).catch(async (error: unknown) => {
        if (!(error instanceof UnsupportedError)) throw error;
        const cpu = await openCpu(threads);
        return { ...cpu, words: `${cpu.words} (auto found no GPU: ${error.message})` };
      });
  }
}

/** What kernels of the backend that is asked for take while they run. With `auto` nobody knows yet which it is: it is planned as on the CPU. */
export async function workspaceOn(backend: BackendChoice["backend"]): Promise<{ readonly workspace?: Workspace }> {
  if (backend !== "webgpu" && backend !== "webgpu:software") return {};
  const { workspaceOfGpu } = await import("@qlora-js/backend-webgpu");
  return { workspace: workspaceOfGpu({ software: backend === "webgpu:software" }) };
}

async function openCpu(threads: number | undefined): Promise<OpenBackend> {
  const { createCpuBackend } = await import("@qlora-js/backend-cpu"); // each backend is loaded by who asks for it
  const backend = await createCpuBackend(threads === undefined ? {} : { threads });
  return { backend, facts: { name: "cpu", threads: backend.threads }, words: `cpu · WebAssembly, ${plural(backend.threads, "thread")}` };
}

async function openGpuJs(): Promise<OpenBackend> {
  const { createGpuJsBackend } = await import("@qlora-js/backend-gpujs");
  const backend = await createGpuJsBackend();
  return { backend, facts: { name: "gpujs" }, words: "gpujs · kernels to be read, as JavaScript on one thread: slow" };
}

async function openGpu(software: boolean): Promise<OpenBackend> {
  const { createWebGpuBackend } = await import("@qlora-js/backend-webgpu");
  const backend = await createWebGpuBackend({ software });
  const { description, subgroups, shaderF16, maxBufferBytes, maxBindingBytes } = backend.facts;
  const features = [subgroups && "subgroups", shaderF16 && "shader-f16"].filter(Boolean);
  const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
  const most = `buffers up to ${mebibytes(maxBufferBytes)}, bindings up to ${mebibytes(maxBindingBytes)}`;
  return {
    backend,
    ahead: backend,
    facts: { name: "webgpu", device: description },
    words: ["webgpu", description, ...features, most].join(" · "),
  };
}
