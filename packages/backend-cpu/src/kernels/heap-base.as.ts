// Where the module's own static data ends, and the allocator's room begins.
export function heapBase(): usize {
  return __heap_base;
}
