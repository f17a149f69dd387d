// What the process takes besides the device's buffers. Measured, not derived: resident memory of `qlora train` less the backend's peak.

/** Node 20 with this package, tokenizer, compiled kernels and threads, rounded up. */
export const RUNTIME_BYTES = 100_000_000;
