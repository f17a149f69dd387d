// A folder of static files over HTTP, with the headers that make a page cross-origin isolated.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve, sep } from "node:path";
import { createGzip } from "node:zlib";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
/** What makes a page cross-origin isolated, so that threads may share memory. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

/** Serves a folder to this machine alone, at a port or any that is free. Resolves with the address. */
export function serveFolder(folder, port = 0) {
  const server = createServer((request, response) => {
    answer(folder, request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  return new Promise((done, failed) => {
    server.on("error", failed);
    server.listen(port, "127.0.0.1", () => done(`http://localhost:${server.address().port}/`));
  });
}

async function answer(folder, request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const file = resolve(folder, `.${decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname)}`);
  const found = file.startsWith(folder + sep) && (await stat(file).catch(() => undefined));
  if (!found?.isFile()) return void response.writeHead(404, ISOLATED).end("not found");
  const headers = { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "cache-control": "no-cache", ...ISOLATED };
  if (request.method === "HEAD") return void response.writeHead(200, headers).end();
  const zipped = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "") && extname(file) in TYPES;
  response.writeHead(200, zipped ? { ...headers, "content-encoding": "gzip" } : headers);
  const bytes = createReadStream(file);
  if (zipped) bytes.pipe(createGzip({ level: 9 })).pipe(response);
  else bytes.pipe(response);
}
