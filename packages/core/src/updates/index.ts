// The only list of updates; kernel-table.ts reads it as it reads the list of ops.
export { accumulateUpdate } from "./accumulate.ts";
export { adamWUpdate } from "./adamw.ts";
export { adamW8bitUpdate } from "./adamw-8bit.ts";
export { writeRowsUpdate } from "./write-rows.ts";
