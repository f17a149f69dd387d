// The `qlora` command from a clone: installs and builds what is missing, then runs it with the arguments given. `npm run qlora -- train …`
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

setup();
const main = join(root, "packages", "qlora", "dist", "cli", "main.js");
// npm runs scripts in the repository; paths that the user types are from where they stand.
const cwd = process.env.INIT_CWD ?? process.cwd();
const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { cwd, stdio: "inherit" });
// Ctrl-C reaches the command as well; what it does then is its affair, and this waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
