// What the package offers. No logic.
export { type CpuBackend, type CpuBackendOptions, createCpuBackend } from "./backend.ts";
export { createPlainBackend, type PlainBackendOptions } from "./plain/plain-backend.ts";
