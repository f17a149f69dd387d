// Which rows of the hidden states are looked at by the loss. labels[t] is predicted from position t − 1, so the rows are those before a supervised label;
// the head then runs on these alone.
import type { Batch } from "../data/batch.ts";
import { NOT_SUPERVISED } from "../data/rows.ts";

export interface SupervisedRows {
  /** Indices into [B · T] of positions that predict something. */
  readonly rows: Int32Array;
  /** What each of them should predict. */
  readonly targets: Int32Array;
}

export function supervisedRows({
  labels,
  batch,
  length,
  supervised,
}: Pick<Batch, "labels" | "batch" | "length" | "supervised">): SupervisedRows {
  const rows = new Int32Array(supervised);
  const targets = new Int32Array(supervised);
  let n = 0;
  for (let b = 0; b < batch; b++) {
    for (let t = 1; t < length; t++) {
      const label = labels[b * length + t]!;
      if (label === NOT_SUPERVISED) continue;
      rows[n] = b * length + t - 1;
      targets[n++] = label;
    }
  }
  return { rows, targets };
}
