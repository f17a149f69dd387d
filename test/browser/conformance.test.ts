// The conformance tests of test/ops, in a browser: the same file, packed, with the same cases, on the kernels as a browser compiles them.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { type Plugin, rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type Served, servePlainly, withoutChromium } from "./chromium.ts";
import type { Outcome } from "./vitest-in-page.ts";
import type { Learnt, LostAndBack } from "./webgl-in-page.ts";

const here = import.meta.dirname;
const kernels = resolve(here, "../../packages/backend-cpu/dist");
/** Draws of a property: Node has many, what is tested here is the browser. */
const RUNS = 1;
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

const inPage: Plugin = {
  name: "in-page",
  resolveId: (id) => {
    if (id === "vitest") return join(here, "vitest-in-page.ts");
    return id.endsWith("/backends.ts") ? join(here, "backends-in-page.ts") : null;
  },
};

async function pack(folder: string): Promise<void> {
  const input = {
    conformance: join(here, "conformance-worker.ts"),
    webgl: join(here, "webgl-in-page.ts"),
    "worker-web": join(kernels, "worker-web.js"),
  };
  const define = { "process.env.FC_SEED": "undefined", "process.env.FC_RUNS": String(RUNS) };
  const bundle = await rolldown({ input, platform: "browser", cwd: here, plugins: [inPage], transform: { define } });
  await bundle.write({ dir: folder, format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name].js" });
  await bundle.close();
  copyFileSync(join(kernels, "kernels.wasm"), join(folder, "kernels.wasm"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>conformance</title>");
}

/** What WebGL2 may do otherwise: it may take numbers below 2⁻¹²⁶ for 0. */
const EXCUSED = [
  /^elementwise on gpujs log at .* 1e-38/,
  // both compare the scale of a short last block of zeros, which is 1e-38; codes and other scales are compared in the rest
  /^quantize on gpujs quantize gives the codes and scales of the format/,
  /^quantize on gpujs quantize takes zero blocks, NaN, infinities and a short last block/,
];

describe.skipIf(withoutChromium)(`conformance in a real Chromium${withoutChromium ? ` (skipped: ${withoutChromium})` : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "qlora-conformance-"));
  let served: Served;
  let browser: Browser;
  beforeAll(async () => {
    await pack(folder);
    served = await servePlainly(folder, ISOLATED);
    browser = await launch({ webgpu: true });
  });
  afterAll(async () => {
    await browser?.close();
    served?.stop();
    rmSync(folder, { recursive: true });
  });

  test.each(["cpu", "webgpu", "gpujs"])("every op passes on %s", async (name) => {
    const page = await browser.newPage();
    await page.goto(served.address);
    const { passed, failed } = await page.evaluate(run, name);
    expect(failed.filter((title) => !EXCUSED.some((known) => known.test(title)))).toEqual([]);
    expect(passed).toBeGreaterThan(300);
    await page.close();
  });

  test("a step on WebGL2 leaves nothing behind", async () => {
    const page = await browser.newPage();
    await page.goto(served.address);
    const { first, last, objects, left } = await page.evaluate<Learnt>('import("./webgl.js").then(({ learn }) => learn(40, [10, 40]))');
    expect(last).toBeLessThan(0.8 * first);
    expect(objects[1]).toEqual(objects[0]);
    expect(left).toEqual({ liveBuffers: 0, liveTextures: 0 });
    await page.close();
  });

  test("a WebGL2 context that is lost rejects with the typed error, and a new one goes on", async () => {
    const page = await browser.newPage();
    await page.goto(served.address);
    const { lost, again, before, after } = await page.evaluate<LostAndBack>('import("./webgl.js").then(({ lose }) => lose())');
    expect(lost).toMatchObject({ name: "DeviceLostError", backend: "gpujs" });
    expect(lost.running).toContain("qmatmul");
    expect(again.name).toBe("DeviceLostError");
    expect(after).toBe(before);
    await page.close();
  });
});

/** In the page: ends with what the worker reports last. */
function run(name: string): Promise<Outcome> {
  return new Promise((done, failed) => {
    const worker = new Worker("conformance.js", { type: "module", name });
    worker.onmessage = ({ data }: MessageEvent<Outcome | string>) => {
      if (typeof data !== "string") done(data);
    };
    worker.onerror = ({ message }) => failed(new Error(message || "the worker's script did not load"));
  });
}
