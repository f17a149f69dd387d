// Installs the peers from bench/package-lock.json, if they are not there. Neither users nor `npm test` come here.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setup } from "../scripts/setup.mjs";

export function installPeers() {
  setup();
  const here = import.meta.dirname;
  if (existsSync(join(here, "node_modules", ".package-lock.json"))) return;
  console.error("installing the peers (about 1 GB) …");
  // prebuilt binaries are in the packages; their install scripts would fetch or build others
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" };
  // not `npm ci`, for the reason that scripts/setup.mjs gives
  const { status } = spawnSync("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: here,
    stdio: ["ignore", 2, 2],
    env,
  });
  if (status !== 0) process.exit(status ?? 1);
}
