// `npm run demo`: installs and builds what is missing, then runs `qlora demo`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

setup();
const main = join(root, "packages", "qlora", "dist", "cli", "main.js");
const child = spawn(process.execPath, [main, "demo", ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: "inherit",
});
// Ctrl-C reaches the command as well; what it does then is its affair, and this waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
