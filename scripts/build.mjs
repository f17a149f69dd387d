// AssemblyScript kernels -> WebAssembly, once for memory that threads share and once for one thread; TypeScript -> ESM beside it. Each only when a source is newer, and beside one another.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./setup.mjs";

const cpu = join(root, "packages", "backend-cpu");
const dist = join(cpu, "dist");
const sources = readdirSync(join(cpu, "src", "kernels"), { recursive: true })
  .filter((f) => f.endsWith(".as.ts"))
  .sort()
  .map((f) => join(cpu, "src", "kernels", f));
const entries = sources.filter((f) => dirname(f) === join(cpu, "src", "kernels")); // folders hold what kernels import

const COMMON = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory"];
const MEMORY = ["--importMemory", "--initialMemory", "1", "--maximumMemory", "65536", "--use", "abort="];

/** Runs a script to its end; others run beside it. Ends this process with its code if it fails. */
const runBeside = (script, args) =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(root, "node_modules", ...script), ...args], { cwd: root, stdio: ["inherit", 2, 2] });
    child.on("error", failed).on("exit", (code) => (code === 0 ? done() : process.exit(code ?? 1)));
  });

async function assemble(file, kernels, flags) {
  const newest = Math.max(...sources.map((f) => statSync(f).mtimeMs), statSync(import.meta.filename).mtimeMs);
  if (existsSync(file) && statSync(file).mtimeMs >= newest) return;
  mkdirSync(dist, { recursive: true });
  await runBeside(["assemblyscript", "bin", "asc.js"], [...kernels, ...COMMON, ...MEMORY, ...flags, "-o", file]);
}

const single = entries.filter((f) => !f.endsWith("take-tasks.as.ts"));
await Promise.all([
  assemble(join(dist, "kernels.wasm"), entries, ["--enable", "threads", "--sharedMemory"]),
  assemble(join(dist, "kernels-single.wasm"), single, []),
  runBeside(["typescript", "bin", "tsc"], ["-b"]),
]);
