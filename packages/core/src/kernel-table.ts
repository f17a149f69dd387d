// Types only: what a backend owes. Its table ends in `satisfies KernelTable<Context>`, so a missing, misspelt or wrongly attributed kernel does not compile.
import type { View } from "./backend.ts";
import type * as ops from "./ops/index.ts";
import type * as updates from "./updates/index.ts";

type AnyOp = (typeof ops)[keyof typeof ops];
type AnyUpdate = (typeof updates)[keyof typeof updates];
type AttrsOf<O> = O extends { infer(inputs: never, attrs: infer A): unknown }
  ? A
  : O extends { check(targets: never, inputs: never, attrs: infer A): void }
    ? A
    : never;

/** Names of ops: what makes a new tensor. */
export type OpName = AnyOp["name"];
/** Names of updates: what changes a tensor in place. */
export type UpdateName = AnyUpdate["name"];

/** Fills the outputs from the inputs. Views are contiguous and checked; an update's targets are its first inputs and its outputs. */
export type Kernel<Context, Attrs> = (context: Context, inputs: readonly View[], outputs: readonly View[], attrs: Attrs) => void;

/** One kernel an op and an update, with that op's own attributes. */
export type KernelTable<Context> = {
  readonly [O in AnyOp | AnyUpdate as O["name"]]: Kernel<Context, AttrsOf<O>>;
};
