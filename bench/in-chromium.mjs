// Packs a module of this folder and opens a real Chromium where `self.benched` is what it exports. Not minified: gpu.js reads the text of functions.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { rolldown } from "rolldown";
import { serveFolder } from "../scripts/serve-folder.mjs";
import { unpackChromium } from "../scripts/software-gpu.mjs";

const QUIET = ["--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync", "--disable-background-networking"];

/** @param folders what lies beside the page, by name */
export async function inChromium(module, use, folders = {}) {
  const unpacked = await unpackChromium();
  if (unpacked.missing) throw new Error(unpacked.missing);
  const folder = await mkdtemp(join(tmpdir(), "qlora-bench-"));
  const bundle = await rolldown({
    input: { benched: join(import.meta.dirname, module) },
    platform: "browser",
    cwd: join(import.meta.dirname, ".."),
  });
  await bundle.write({ dir: folder, format: "esm", entryFileNames: "[name].js" });
  await bundle.close();
  for (const [name, from] of Object.entries(folders)) await cp(from, join(folder, name), { recursive: true });
  await writeFile(
    join(folder, "index.html"),
    '<!doctype html><title>bench</title><script type="module">self.benched = await import("./benched.js")</script>',
  );
  const browser = await chromium.launch({
    executablePath: unpacked.executable,
    env: { ...process.env, ...unpacked.environment },
    args: QUIET,
  });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => message.type() === "log" && console.log(message.text()));
    await page.goto(await serveFolder(folder));
    await page.waitForFunction(() => "benched" in self);
    return await use(page);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
}
