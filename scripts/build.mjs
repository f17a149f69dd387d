// AssemblyScript kernels -> one WebAssembly module; TypeScript -> ESM beside it. Both only when a source is newer.
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./setup.mjs";

const cpu = join(root, "packages", "backend-cpu");
const wasm = join(cpu, "dist", "kernels.wasm");
const kernels = readdirSync(join(cpu, "src", "kernels"))
  .filter((f) => f.endsWith(".as.ts"))
  .sort()
  .map((f) => join(cpu, "src", "kernels", f));
const newest = Math.max(...kernels.map((f) => statSync(f).mtimeMs), statSync(import.meta.filename).mtimeMs);
if (!existsSync(wasm) || statSync(wasm).mtimeMs < newest) {
  mkdirSync(join(cpu, "dist"), { recursive: true });
  const bin = join(root, "node_modules", "assemblyscript", "bin", "asc.js");
  const flags = [
    "-O3",
    "--noAssert",
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--enable",
    "threads",
    "--enable",
    "bulk-memory",
    "--importMemory",
    "--sharedMemory",
    "--initialMemory",
    "1",
    "--maximumMemory",
    "65536",
    "--use",
    "abort=",
    "-o",
    wasm,
  ];
  run(process.execPath, [bin, ...kernels, ...flags]);
}
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
