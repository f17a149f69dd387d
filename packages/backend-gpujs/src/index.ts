// What the package offers. No logic.
export type { GpuJsBackend, GpuJsCapabilities, GpuJsFacts, GpuJsMode } from "./backend.ts";
export { createGpuJsBackend, type GpuJsBackendOptions } from "./create-gpujs-backend.ts";
export type { BytesInUse } from "./engine.ts";
export type { OnHost } from "./on-host.ts";
