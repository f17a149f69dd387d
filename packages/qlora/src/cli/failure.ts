// What a failure is to the user of the command: 2 if what they gave cannot be used, 1 if something broke; and the sentence that says it.
import { FormatError, UnsupportedError } from "@qlora-js/core";
import { CommanderError } from "commander";
import { HubError, type HubProblem, UsageError } from "../error.ts";

/** Failed, and not by what was given. */
const BROKE = 1;
/** What was given cannot be used: an option, a row, a file, a folder. */
const CANNOT_USE = 2;
/** Stopped by Ctrl-C (128 + SIGINT), as shells have it. */
export const INTERRUPTED = 130;

/** What of a hub's the user can mend: a name, a revision, a token, terms, a cache. */
const USERS: ReadonlySet<HubProblem> = new Set(["absent", "revision", "unauthorized", "gated", "offline"]);

/** The process's exit code for an error that reached the top. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : CANNOT_USE;
  if (error instanceof HubError) return USERS.has(error.problem) ? CANNOT_USE : BROKE;
  return error instanceof UsageError || error instanceof FormatError || error instanceof UnsupportedError ? CANNOT_USE : BROKE;
}

/** What to print; undefined if it was printed already, as commander does with its own errors. */
export function sentenceOf(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  return `error: ${error.message}${isOurs(error) ? "" : " (QLORA_DEBUG=1 shows where.)"}`;
}

/** Errors with names of our own read as sentences; others are a defect, and where they come from matters. */
const isOurs = (error: Error): boolean => !["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError"].includes(error.name);
