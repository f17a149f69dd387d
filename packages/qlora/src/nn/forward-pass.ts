// What one run of a model forward is told besides its tokens.

import type { KeyValueCache } from "./key-value-cache.ts";
import type { ForwardContext } from "./linear.ts";

/** How much of a layer is kept for the backward pass: everything; only its input and large products; only its input. */
export type Recomputation = "nothing" | "cheap" | "all";

export interface ForwardPass extends ForwardContext {
  /** One a layer; "nothing" where left out. */
  readonly recompute?: readonly Recomputation[];
  /** Keys and values of earlier positions; the new ones are added. For a batch of one. */
  readonly cache?: KeyValueCache;
  /** First position of each row that is not padding, for rows padded on the left; 0 where left out. */
  readonly starts?: readonly number[];
}
