// Runs the `qlora` command of this clone: installs and builds what is missing first.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

/** @param args what would follow `qlora` */
export async function command(args) {
  setup();
  const software = args.some((arg) => arg.includes("webgpu:software"));
  const { gpuEnvironment } = await import("./software-gpu.mjs"); // what it imports is there only now
  const env = { ...process.env, ...(software ? await gpuEnvironment() : {}) };
  const main = join(root, "packages", "qlora", "dist", "cli", "main.js");
  // npm runs scripts in the repository; paths that the user types are from where they stand.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: "inherit" });
  // Ctrl-C reaches the command as well; what it does then is its affair, and this waits for it.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
}
