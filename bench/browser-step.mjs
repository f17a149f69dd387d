// One training step of a small network in a real Chromium, on WebAssembly: ours beside jax-js, in turns, each in a worker of its own. The network of jax-js's
// measurement: x [64, 256] → gelu(x·W₁ [256, 512])·W₂ [512, 256], mean squared error, loss and both gradients.
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveFolder } from "../scripts/serve-folder.mjs";
import { installPeers } from "./install.mjs";
import { header, median, ratio, row } from "./measure.mjs";

installPeers();
const { rolldown } = await import("rolldown");
const { chromium } = await import("playwright-core");
const { unpackChromium } = await import("../scripts/software-gpu.mjs");
const unpacked = await unpackChromium();
if (unpacked.missing) throw new Error(unpacked.missing);

const root = join(import.meta.dirname, "..");
const cpu = join(root, "packages", "backend-cpu", "dist");
const folder = await mkdtemp(join(tmpdir(), "qlora-bench-"));
const input = {
  ours: join(import.meta.dirname, "browser-step-ours.mjs"),
  jax: join(import.meta.dirname, "browser-step-jax.mjs"),
  "worker-web": join(cpu, "worker-web.js"),
};
const bundle = await rolldown({ input, platform: "browser", cwd: root });
await bundle.write({ dir: folder, format: "esm", entryFileNames: "[name].js" });
await bundle.close();
for (const file of ["kernels.wasm", "kernels-single.wasm"]) await cp(join(cpu, file), join(folder, file));
await writeFile(join(folder, "index.html"), "<!doctype html><title>bench</title>");

const address = await serveFolder(folder);
const args = ["--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath: unpacked.executable, env: { ...process.env, ...unpacked.environment }, args });
const page = await browser.newPage();
page.on("console", (message) => message.type() === "error" && console.error(message.text()));
await page.goto(address);
/** Milliseconds of a step, a list for each contestant, in turns. */
const results = await page.evaluate(async (rounds) => {
  const workers = Object.fromEntries(["ours", "jax"].map((name) => [name, new Worker(`/${name}.js`, { type: "module" })]));
  const next = (worker) =>
    new Promise((done, failed) => {
      worker.onmessage = ({ data }) => done(data);
      worker.onerror = (event) => failed(new Error(event.message));
    });
  await Promise.all(Object.values(workers).map(next)); // each says that it is ready
  const ask = (worker) => {
    const answer = next(worker);
    worker.postMessage("measure");
    return answer;
  };
  const found = Object.fromEntries(Object.keys(workers).map((name) => [name, []]));
  for (const worker of Object.values(workers)) await ask(worker); // warm
  for (let round = 0; round < rounds; round++) for (const [name, worker] of Object.entries(workers)) found[name].push(await ask(worker));
  return { isolated: crossOriginIsolated, found };
}, 9);
await browser.close();

const { found } = results;
const milliseconds = (name) => found[name].map(({ milliseconds }) => milliseconds);
console.log(
  `\n## A step of 64 × 256 → 512 → 256 in Chromium, WebAssembly (threads: ours ${found.ours[0].threads}; isolated: ${results.isolated})\n`,
);
header("", "ms a step", "loss", "ours is faster by");
row("ours", median(milliseconds("ours")).toFixed(2), found.ours[0].loss.toFixed(5), "");
row(
  "jax-js",
  median(milliseconds("jax")).toFixed(2),
  found.jax[0].loss.toFixed(5),
  `${ratio(milliseconds("jax"), milliseconds("ours")).toFixed(2)}×`,
);
process.exit(0);
