// How the user called this command, so that a command printed for them can be typed as it is.
import { relative } from "node:path";

/** `qlora`, `npx qlora`, or `npm run qlora --` from a clone. */
export function typedCommand(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  if (environment.npm_lifecycle_event === "qlora") return "npm run qlora --";
  return environment.npm_lifecycle_event === "npx" ? "npx qlora" : "qlora";
}

/** A path as it is typed from here, if that is shorter than the whole of it. */
export function shortestPath(path: string, here = process.cwd()): string {
  const from = relative(here, path) || ".";
  return from.length < path.length ? from : path;
}

/** A path as one word of a shell. */
export const shellWord = (path: string): string => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
