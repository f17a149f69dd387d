// Picking rows by id, and adding into rows by id.
import { type KernelTable, sizeOf, type View } from "@qlora-js/core";
import type { Gpu } from "../dispatch.ts";
import { partOf, stretchesOf } from "../part.ts";

export const indexSelectKernels = {
  // y[j, c] = x[ids[j], c]: x [rows, width] of f32, f16 or bf16. A table that is too large to be seen at once is gone through part by part
  indexSelect: (gpu, inputs, outputs) => {
    const [x, ids] = inputs as [View, View];
    const [y] = outputs as [View];
    for (const part of stretchesOf(x, gpu.facts.maxBindingBytes))
      gpu.dispatch({
        name: "indexSelect",
        reads: { x: partOf(x, part), ids },
        writes: { y },
        params: { width: sizeOf(x.shape.slice(1)), first: part.first, rows: part.count },
        grid: { threads: sizeOf(y.shape) },
        wgsl: () => `fn thread(k: u32) {
  let row = u32(ids_at(k / params.width)) - params.first; // far beyond the part if it is not in it
  if (row < params.rows) { y[k] = x_at(row * params.width + k % params.width); }
}`,
      });
  },
  // y[ids[j], c] += x[j, c], from zeros, in the order of j. Without atomics: first each j finds the next one of its id, so that the j of an id are a
  // chain in ascending order; then each element of y walks its row's chain.
  indexAdd: (gpu, inputs, outputs, { rows }) => {
    const [x, ids] = inputs as [View, View];
    const [y] = outputs as [View];
    const first = gpu.temporary("i32", [rows]);
    const next = gpu.temporary("i32", ids.shape);
    gpu.dispatch({
      name: "indexAddEmpty",
      reads: {},
      writes: { first },
      grid: { threads: rows },
      wgsl: () => "fn thread(row: u32) { first[row] = -1; }",
    });
    gpu.dispatch({
      name: "indexAddChains",
      reads: { ids },
      writes: { first, next },
      grid: { threads: sizeOf(ids.shape) },
      wgsl: () => `fn thread(j: u32) {
  let id = ids_at(j);
  var earlier = 0u;
  while (ids_at(earlier) != id) { earlier++; }
  if (earlier == j) { first[id] = i32(j); }
  var later = j + 1u;
  while (later < params.count && ids_at(later) != id) { later++; }
  next[j] = select(-1, i32(later), later < params.count);
}`,
    });
    gpu.dispatch({
      name: "indexAddSums",
      reads: { x, first, next },
      writes: { y },
      params: { width: sizeOf(y.shape.slice(1)) },
      grid: { threads: sizeOf(y.shape) },
      wgsl: () => `fn thread(k: u32) {
  var sum = 0.0;
  for (var j = first_at(k / params.width); j >= 0; j = next_at(u32(j))) { sum += x_at(u32(j) * params.width + k % params.width); }
  y[k] = sum;
}`,
    });
  },
} satisfies Partial<KernelTable<Gpu>>;
