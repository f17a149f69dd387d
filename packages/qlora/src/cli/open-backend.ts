// Which backend the command computes on. The one place that knows.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import type { Backend } from "@qlora-js/core";

/** A backend and what it computes with, for the run's manifest. */
export interface OpenBackend {
  readonly backend: Backend;
  readonly threads: number;
}

/** @param threads all processors where left out */
export async function openBackend(threads: number | undefined): Promise<OpenBackend> {
  const backend = await createCpuBackend(threads === undefined ? {} : { threads });
  return { backend, threads: backend.threads };
}
