// The text of every WebGPU program, for GPUs that this machine may not have: the ops of all case tables run on Dawn's null device, which has all features,
// checks what it is given and computes nothing.
import { type AdapterFacts, WebGpuBackend } from "@qlora-js/backend-webgpu";
import { add, grad, parameter, scope, sum, type Tensor } from "@qlora-js/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { PROPERTY } from "../arbitraries.ts";
import { listOf } from "../compute.ts";
import type { Given, Row } from "../conformance.ts";
import { upload } from "../value.ts";
import { CASES } from "./index.ts";

/** What decides which variant of a kernel is taken. */
const GPUS: Readonly<Record<string, Partial<AdapterFacts>>> = {
  "a GPU with subgroups and f16": { software: false, subgroups: true, shaderF16: true },
  "a GPU without them": { software: false, subgroups: false, shaderF16: false },
  "software with f16": { software: true, subgroups: true, shaderF16: true },
};

async function openNull(facts: Partial<AdapterFacts>): Promise<WebGpuBackend> {
  const gpu = create(["backend=null"]);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("Dawn has no null device here.");
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16"] });
  const { limits } = device;
  const own: AdapterFacts = {
    description: "null",
    software: false,
    subgroups: true,
    shaderF16: true,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
  };
  return new WebGpuBackend(gpu, device, { ...own, ...facts }, 2 ** 32);
}

const sample = ({ given }: Row<unknown>): readonly Given<unknown>[] =>
  Array.isArray(given) ? given : fc.sample(given as fc.Arbitrary<Given<unknown>>, { seed: PROPERTY.seed, numRuns: 6 });

/** Runs a row, and the gradients that are asked of it. */
function runRow(backend: WebGpuBackend, check: Row<unknown>, { inputs, attrs }: Given<unknown>): void {
  const positions = check.gradients ?? check.comparedWithPlain ?? [];
  scope(backend, () => {
    const tensors = inputs.map((v, i) => (positions.includes(i) ? parameter(upload(backend, v)) : upload(backend, v)));
    const outputs = listOf(check.run(tensors, attrs));
    if (positions.length === 0) return;
    const loss = outputs.map((y: Tensor) => sum(y)).reduce(add);
    grad(
      loss,
      positions.map((i) => tensors[i]!),
    );
  });
}

for (const [name, facts] of Object.entries(GPUS)) {
  describe(`programs for ${name}`, () => {
    let backend: WebGpuBackend;
    beforeAll(async () => {
      backend = await openNull(facts);
    });
    afterAll(() => backend.dispose());
    for (const [title, { cases }] of Object.entries(CASES)) {
      test(`of ${title} compile`, async () => {
        for (const check of cases) for (const given of sample(check)) runRow(backend, check, given);
        await backend.flush();
        expect(backend.counters.dispatches).toBeGreaterThan(0);
        expect(backend.memory()).toMatchObject({ liveBuffers: 0, liveBytes: 0 });
      });
    }
  });
}
