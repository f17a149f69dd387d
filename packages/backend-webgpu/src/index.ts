export type { AdapterFacts } from "./adapter-facts.ts";
export { WebGpuBackend } from "./backend.ts";
export { createWebGpuBackend, type WebGpuBackendOptions } from "./create-webgpu-backend.ts";
export { ShaderError } from "./errors.ts";
export { type Workspace, workspaceOfGpu } from "./workspace.ts";
