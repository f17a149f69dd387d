// How threads share the tasks of a job without a lock. Only in the module with shared memory; thread-pool.ts tells the protocol.
// The ticket is one u64: the job's number in the upper half, the next task in the lower. A thread that is late with an old number takes nothing.

/** Takes up to `grain` tasks of `total`: the first one's number, or -1 if there are none left, or the job is over. */
export function takeTasks(ticket: usize, job: u32, total: u32, grain: u32): i32 {
  let seen = atomic.load<u64>(ticket);
  while (<u32>(seen >> 32) == job && <u32>seen < total) {
    const before = atomic.cmpxchg<u64>(ticket, seen, seen + grain);
    if (before == seen) return <i32>(<u32>seen);
    seen = before;
  }
  return -1;
}

/** Opens a job: its tasks can be taken from now on. */
export function openTicket(ticket: usize, job: u32): void {
  atomic.store<u64>(ticket, <u64>job << 32);
}

/** Closes the ticket, so that the job's description may be changed. */
export function closeTicket(ticket: usize, job: u32): void {
  atomic.store<u64>(ticket, (<u64>job << 32) | 0xffffffff);
}
