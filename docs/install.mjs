// Installs what the site is built with from docs/package-lock.json, if it is not there. Neither users nor `npm test` come here.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { run } from "../scripts/setup.mjs";

export function installDocs() {
  const [lock, installed] = ["package-lock.json", "node_modules/.package-lock.json"].map((path) => join(import.meta.dirname, path));
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  process.stderr.write("installing what the site is built with …\n");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: import.meta.dirname });
}
