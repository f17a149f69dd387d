// Frees everything that was made inside, except what is returned and what the tape still needs.
import type { Backend } from "./backend.ts";
import { ArgumentError } from "./error.ts";
import { QTensor } from "./qtensor.ts";
import { type Disposable, type OpenScope, sessionOf, within } from "./session.ts";
import { Tensor } from "./tensor.ts";

/**
 * Runs fn and disposes the tensors made in it that its result does not hold (tensors in arrays, maps and plain objects count as held).
 * Scopes nest; what an inner one returns belongs to the outer one. What the outermost returns is the caller's to dispose.
 * @throws ArgumentError if fn returns a promise: await outside, on what the scope returned
 */
export function scope<T>(backend: Backend, fn: () => T): T {
  const session = sessionOf(backend);
  const open: OpenScope = { parent: session.scope, made: new Set() };
  let kept: Set<Disposable> | null = null;
  session.scope = open;
  try {
    const result = fn();
    if (result instanceof Promise)
      throw new ArgumentError(
        "scope",
        "fn",
        result,
        "the function returned a promise. Return the tensors, and await their values outside.",
      );
    kept = new Set();
    collect(result, kept);
    return result;
  } finally {
    session.scope = open.parent;
    close(open, kept);
  }
}

/** Runs fn without recording: nothing in it leaves a node, so nothing is held for a backward pass. */
export function noGrad<T>(backend: Backend, fn: () => T): T {
  return within(sessionOf(backend), { recording: "off" }, fn);
}

function close({ parent, made }: OpenScope, kept: Set<Disposable> | null): void {
  const tracked = kept !== null && [...kept].some((t) => t instanceof Tensor && t.origin?.node);
  for (const item of made) {
    // nodes hold what a backward pass will read: they outlive the scope as long as somebody can still start one
    const outlives = item instanceof Tensor ? kept?.has(item) : kept !== null && (parent !== null || tracked);
    if (!outlives) item.dispose();
    else parent?.made.add(item);
  }
}

function collect(value: unknown, into: Set<Disposable>): void {
  if (value instanceof Tensor) into.add(value);
  else if (value instanceof QTensor) for (const t of value.tensors()) into.add(t);
  else if (value instanceof Map) for (const entry of value.values()) collect(entry, into);
  else if (Array.isArray(value)) for (const entry of value) collect(entry, into);
  else if (value !== null && typeof value === "object" && !ArrayBuffer.isView(value))
    for (const entry of Object.values(value)) collect(entry, into);
}
