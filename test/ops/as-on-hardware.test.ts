// Kernels that have a variant for real GPUs, with workgroup memory and barriers: the same cases, on the software GPU made to take it.
import { createWebGpuBackend } from "@qlora-js/backend-webgpu";
import { describe } from "vitest";
import { type BackendUnderTest, withoutWebGpu } from "../backends.ts";
import { testConformance } from "../conformance.ts";
import { CASES } from "./index.ts";

const hardware: BackendUnderTest = {
  name: "webgpu as on hardware",
  create: () => createWebGpuBackend({ software: true, likeHardware: true }),
  recomputes: false,
  draws: 4,
  compilesSlowly: true,
};

describe.skipIf(withoutWebGpu !== undefined)(`variants for real GPUs${withoutWebGpu ? ` (skipped: ${withoutWebGpu})` : ""}`, () => {
  for (const name of ["matmul", "qmatmul", "attention", "rms-norm", "softmax", "reduce", "linear-cross-entropy", "permute"] as const)
    testConformance(name, CASES[name], [hardware]);
});
