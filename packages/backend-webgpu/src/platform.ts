// What differs between Node and a browser: where WebGPU comes from.
export interface Platform {
  /** The entry to WebGPU. @throws UnsupportedError where there is none, with what to install or switch on */
  gpu(): Promise<GPU>;
  /** How a person gets an adapter here, as the end of a sentence. */
  readonly advice: string;
  /** The same for an adapter in software. */
  readonly softwareAdvice: string;
  /** Waits for what a GPU in software computes, and leaves it the processor meanwhile. */
  patiently<T>(waiting: Promise<T>): Promise<T>;
}
