import type { Colors } from "../output.ts";

const WIDTH = 24;

/** `████████░░░░` for a share in 0…1. */
export function progressBar(share: number, colors: Colors): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * WIDTH);
  return colors.green("█".repeat(full)) + colors.dim("░".repeat(WIDTH - full));
}
