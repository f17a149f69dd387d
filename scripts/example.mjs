// npm run example -- nf4: builds what is missing and runs examples/nf4.ts.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";

const names = readdirSync(join(root, "examples"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3));
const [name, ...rest] = process.argv.slice(2);
if (!name || !names.includes(name)) {
  console.error(`${name ? `there is no example "${name}".` : "which example?"} Use one of: ${names.join(", ")}`);
  process.exit(2);
}
setup();
const { gpuEnvironment } = await import("./software-gpu.mjs"); // what it imports is there only now
const env = { ...process.env, ...(name === "swap-backends" ? await gpuEnvironment() : {}) };
run(process.execPath, [join(root, "examples", "dist", `${name}.js`), ...rest], { stdio: "inherit", env });
