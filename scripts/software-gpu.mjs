// A GPU in software, and a Chromium, from npm alone: the package @sparticuz/chromium carries both, with the libraries they need, for Linux on x64.
// Unpacked once into node_modules/.cache. Dawn and Chromium find SwiftShader through two environment variables that must be set before their process starts.
import { spawnSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";
import { root } from "./setup.mjs";

/** Where it lies once it is unpacked, or why it cannot be had here. */
export async function unpackChromium() {
  if (process.platform !== "linux" || process.arch !== "x64")
    return { missing: `the packaged Chromium and SwiftShader are for linux x64, this is ${process.platform} ${process.arch}` };
  const packed = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "..", "..", "bin");
  const { version } = JSON.parse(await readFile(join(packed, "..", "package.json"), "utf8"));
  const cache = join(root, "node_modules", ".cache");
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true });
    const fresh = await mkdtemp(join(cache, "unpacking-"));
    await Promise.all([
      inflate(join(packed, "chromium.br"), createWriteStream(join(fresh, "chromium"), { mode: 0o755 })),
      ...["swiftshader", "fonts", "al2023"].map((name) => inflate(join(packed, `${name}.tar.br`), extract(fresh))),
    ]);
    await rename(fresh, folder).catch(async (error) => {
      await rm(fresh, { recursive: true }); // another process was first
      if (!existsSync(folder)) throw error;
    });
  }
  return { folder, executable: join(folder, "chromium"), environment: environmentFor(folder) };
}

const inflate = (from, to) => pipeline(createReadStream(from), createBrotliDecompress(), to);

const environmentFor = (folder) => ({
  VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
  LD_LIBRARY_PATH: [folder, join(folder, "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? folder,
});

const ASK = `import { create } from "webgpu";
const adapter = await create([]).requestAdapter();
process.exit(adapter && !/swiftshader|llvmpipe|lavapipe/i.test([adapter.info.architecture, adapter.info.description].join()) ? 0 : 1);`;

/** What a process needs in its environment for WebGPU: nothing where this machine has a GPU, else the software one's variables. */
export async function gpuEnvironment() {
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", ASK], { cwd: root, stdio: "ignore", timeout: 30_000 });
  if (status === 0) return {};
  const { environment } = await unpackChromium();
  return environment ?? {};
}
