// Finds a GPU, asks it for all it has, and makes a backend of it.
import { UnsupportedError } from "@qlora-js/core";
import { platform } from "#platform";
import { type AdapterFacts, factsOf } from "./adapter-facts.ts";
import { WebGpuBackend } from "./backend.ts";

/** Which GPU is taken. */
export interface WebGpuBackendOptions {
  /** Take a GPU that is software on the processor; by default it is refused, because the CPU backend is faster. */
  readonly software?: boolean;
  /** The most the backend may hold, in bytes; WebGPU does not say how much a device has. 4 GiB by default. */
  readonly maxBytes?: number;
  /** The most bytes one binding may show, at most what the adapter allows. Larger tensors are seen through several bindings. */
  readonly maxBindingBytes?: number;
  /** Run the programs of real GPUs on a software one as well. They are slow there; tests want them. */
  readonly likeHardware?: boolean;
}

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies (keyof GPUSupportedLimits)[];

const FEATURES: readonly GPUFeatureName[] = ["subgroups", "shader-f16", "timestamp-query"];

/**
 * The WebGPU backend on the machine's GPU. Results are the same bits each time on the same GPU.
 * @throws UnsupportedError if there is no WebGPU, no adapter, or only a software adapter that was not asked for
 */
export async function createWebGpuBackend({
  software = false,
  maxBytes = 2 ** 32,
  maxBindingBytes = Number.POSITIVE_INFINITY,
  likeHardware = false,
}: WebGpuBackendOptions = {}): Promise<WebGpuBackend> {
  const gpu = await platform.gpu();
  const adapter =
    (software ? await gpu.requestAdapter({ forceFallbackAdapter: true }) : null) ??
    (await gpu.requestAdapter({ powerPreference: "high-performance" }));
  if (!adapter)
    throw new UnsupportedError(
      software
        ? `webgpu: no adapter was found, not even one in software. To get one: ${platform.softwareAdvice}.`
        : `webgpu: no adapter was found. To get one: ${platform.advice}.`,
    );
  const { description, software: isSoftware } = factsOf(adapter);
  if (isSoftware && !software)
    throw new UnsupportedError(
      `webgpu: the only adapter is software (${description}), slower than the CPU backend. Ask for it with --backend webgpu:software, or use the CPU.`,
    );
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)) });
  const found = factsOf(adapter, device.limits);
  const facts: AdapterFacts = {
    ...found,
    software: found.software && !likeHardware,
    maxBindingBytes: Math.min(found.maxBindingBytes, maxBindingBytes),
  };
  return new WebGpuBackend(gpu, device, facts, maxBytes, found.software ? platform.patiently : undefined);
}
