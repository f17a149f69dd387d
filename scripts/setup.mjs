// Installs what package-lock.json names, if node_modules does not hold it already; then builds. Every other script starts here, so that a fresh clone needs one command.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** Runs a command in the repository and ends this process with its code if it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["inherit", 2, 2],
    shell: process.platform === "win32",
    ...options,
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

export function setup() {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    process.stderr.write("installing dependencies …\n");
    // not `npm ci`: it insists on the optional binaries of every platform, which not every registry has
    run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
      // llama.cpp, which tests compare with, comes prebuilt in its package; its install script would fetch another
      env: { ...process.env, NODE_LLAMA_CPP_SKIP_DOWNLOAD: "true" },
    });
  }
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
}

if (process.argv[1] === import.meta.filename) setup();
