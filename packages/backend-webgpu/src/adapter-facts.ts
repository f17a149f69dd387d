// What is known of the GPU in use: what kernels choose their variants by, and what a person is told.
/** What is known of the GPU in use. */
export interface AdapterFacts {
  /** For people: vendor, architecture, driver. */
  readonly description: string;
  /** It runs on the processor (SwiftShader, llvmpipe): right, and slow. */
  readonly software: boolean;
  readonly subgroups: boolean;
  readonly shaderF16: boolean;
  /** The most bytes one binding shows to a kernel; larger tensors are seen through several. */
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  /** Workgroups along one axis of a dispatch. */
  readonly maxWorkgroups: number;
  readonly maxInvocations: number;
  readonly maxStorageBuffers: number;
  readonly workgroupBytes: number;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|warp/i;

/** Facts of an adapter. */
export function factsOf(adapter: GPUAdapter, limits: GPUSupportedLimits = adapter.limits): AdapterFacts {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const named = [vendor, architecture, device, description].filter(Boolean).join(" · ");
  return {
    description: named || "an adapter that does not say its name",
    software: isFallbackAdapter === true || SOFTWARE.test(named),
    subgroups: adapter.features.has("subgroups"),
    shaderF16: adapter.features.has("shader-f16"),
    maxBindingBytes: Math.floor(limits.maxStorageBufferBindingSize / 256) * 256,
    maxBufferBytes: limits.maxBufferSize,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
  };
}
