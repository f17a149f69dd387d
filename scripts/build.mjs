// AssemblyScript kernels -> WebAssembly, once for memory that threads share and once for one thread; TypeScript -> ESM beside it. Both only when a source is newer.
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./setup.mjs";

const cpu = join(root, "packages", "backend-cpu");
const dist = join(cpu, "dist");
const sources = readdirSync(join(cpu, "src", "kernels"), { recursive: true })
  .filter((f) => f.endsWith(".as.ts"))
  .sort()
  .map((f) => join(cpu, "src", "kernels", f));
const entries = sources.filter((f) => dirname(f) === join(cpu, "src", "kernels")); // folders hold what kernels import

const COMMON = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory"];
const MEMORY = ["--importMemory", "--initialMemory", "1", "--maximumMemory", "65536", "--use", "abort="];

function assemble(file, kernels, flags) {
  const newest = Math.max(...sources.map((f) => statSync(f).mtimeMs), statSync(import.meta.filename).mtimeMs);
  if (existsSync(file) && statSync(file).mtimeMs >= newest) return;
  mkdirSync(dist, { recursive: true });
  run(process.execPath, [
    join(root, "node_modules", "assemblyscript", "bin", "asc.js"),
    ...kernels,
    ...COMMON,
    ...MEMORY,
    ...flags,
    "-o",
    file,
  ]);
}

assemble(join(dist, "kernels.wasm"), entries, ["--enable", "threads", "--sharedMemory"]);
assemble(
  join(dist, "kernels-single.wasm"),
  entries.filter((f) => !f.endsWith("take-tasks.as.ts")),
  [],
);
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
