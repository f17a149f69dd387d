// Whether to ask a hub again, and when: what passes by itself (no connection, too many requests, a fault of the server) is waited out a few times.
import { HubError } from "../error.ts";

/** Times a thing is tried before it is given up. */
export const MOST_ATTEMPTS = 6;
/** A hub counts requests over five minutes; one that asks for more than twice that is not waited for. */
const LONGEST_WAIT_S = 600;

const PASSING: ReadonlySet<string> = new Set(["limited", "server", "unreachable"] satisfies HubError["problem"][]);

/**
 * Milliseconds to wait before trying again: 1, 2, 4, 8, 16 s, or what the hub asks for.
 * @param failures how often it has failed, this time included
 * @returns undefined if it is not to be tried again
 */
export function retryDelay(error: unknown, failures: number, attempts = MOST_ATTEMPTS): number | undefined {
  if (!(error instanceof HubError) || !PASSING.has(error.problem) || failures >= attempts) return undefined;
  const asked = error.fields.retryAfter;
  if (typeof asked !== "number") return 1000 * 2 ** (failures - 1);
  return asked > LONGEST_WAIT_S ? undefined : Math.max(1, asked) * 1000;
}
