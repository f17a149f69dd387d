// The `qlora` command from a clone: installs and builds what is missing, then runs it with the arguments given. `npm run qlora -- train …`
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

setup();
// npm runs scripts in the repository; paths that the user types are from where they stand.
const cwd = process.env.INIT_CWD ?? process.cwd();
const { status, signal } = spawnSync(
  process.execPath,
  [join(root, "packages", "qlora", "dist", "cli", "main.js"), ...process.argv.slice(2)],
  {
    cwd,
    stdio: "inherit",
  },
);
process.exit(signal ? 130 : (status ?? 1));
