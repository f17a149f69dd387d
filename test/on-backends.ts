// Tests on every backend, each of which must leave nothing on the device.
import type { Backend } from "@qlora-js/core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { type BackendUnderTest, backends } from "./backends.ts";

/** Opens a backend for the tests of the current `describe`, and checks after each of them that nothing is left on it. */
function useBackend({ create }: BackendUnderTest): () => Backend {
  const backend = useOpened(create);
  afterAll(() => backend().dispose());
  return backend;
}

/** The same for one that others use too, and that is not disposed here. */
export function useOpened(open: () => Promise<Backend>): () => Backend {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterEach(() => {
    const { liveBuffers, liveBytes } = backend.memory();
    expect({ liveBuffers, liveBytes }, "what a test leaves on the device").toEqual({ liveBuffers: 0, liveBytes: 0 });
  });
  return () => backend;
}

/** The same tests on every backend. */
export function describeOnBackends(title: string, body: (backend: () => Backend) => void): void {
  for (const tested of backends) describe(`${title}, on ${tested.name}`, () => body(useBackend(tested)));
}
