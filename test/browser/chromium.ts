// A real headless Chromium, and the page served twice: by `npm run browser` with its headers, and as a folder by a server that sends none.
import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, resolve } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { unpackChromium } from "../../scripts/software-gpu.mjs";

const root = resolve(import.meta.dirname, "../..");
const QUIET = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-sync",
  "--disable-component-update",
  "--disable-background-networking",
];

const unpacked = await unpackChromium();

/** Why there is no browser to test in; undefined where there is one. */
export const withoutChromium: string | undefined = "missing" in unpacked ? unpacked.missing : undefined;
if (withoutChromium) console.warn(`skipping the browser: ${withoutChromium}`);

/** @param webgpu a GPU in software, or none at all */
export async function launch({ webgpu }: { readonly webgpu: boolean }): Promise<Browser> {
  if ("missing" in unpacked) throw new Error(unpacked.missing);
  const args = [...QUIET, ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : ["--disable-features=WebGPU"])];
  return chromium.launch({ executablePath: unpacked.executable, env: { ...process.env, ...unpacked.environment }, args });
}

/** A server that runs, at this address. */
export interface Served {
  readonly address: string;
  stop(): void;
}

/** `npm run browser` as a user runs it. */
export async function serveIsolated(): Promise<Served> {
  const server = browserScript([]);
  const address = await new Promise<string>((done, failed) => {
    let said = "";
    server.stdout!.on("data", (text) => {
      said += String(text);
      const found = /http:\S+/.exec(said)?.[0];
      if (found) done(found);
    });
    server.on("exit", (code) => failed(new Error(`scripts/browser.mjs ended with ${code} and said ${said}`)));
  });
  return { address, stop: () => server.kill() };
}

/** Writes the page as a folder of static files. */
export async function writePage(folder: string): Promise<void> {
  const writing = browserScript(["--out", folder]);
  const code = await new Promise((done) => writing.on("exit", done));
  if (code !== 0) throw new Error(`scripts/browser.mjs --out ended with ${code}`);
}

const browserScript = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(root, "scripts", "browser.mjs"), "--built", ...args], { stdio: ["ignore", "pipe", "inherit"] });

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };

/** The plainest of servers: no headers but those given and the kind of file, and for .wasm not even that. */
export async function servePlainly(folder: string, headers: Readonly<Record<string, string>> = {}): Promise<Served> {
  const server: Server = createServer(({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    const path = join(folder, pathname === "/" ? "index.html" : pathname);
    const type = TYPES[extname(path)];
    const file = createReadStream(path);
    file.on("error", () => response.writeHead(404).end());
    file.on("open", () => {
      response.writeHead(200, type ? { ...headers, "content-type": type } : headers);
      file.pipe(response);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://localhost:${(server.address() as AddressInfo).port}/`, stop: () => void server.close() };
}
