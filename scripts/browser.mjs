// npm run browser: packs examples/browser into a folder of static files and serves it on this machine, with the headers that threads need.
// npm run browser -- --out DIR writes the folder and is done: any static server can have it. --port N for a port of your own; --built if nothing is to
// be built first.
// Packed, because a module's worker has no import map, and because the packages with what they import are 300 files; source maps lead to the TypeScript.
import { existsSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { serveFolder } from "./serve-folder.mjs";
import { root, setup } from "./setup.mjs";

const page = join(root, "examples", "browser");
const packages = join(root, "packages");
/** Writes the page, its workers, the kernels and the embedded model into a folder. The packages are built already. */
async function writePage(folder) {
  await mkdir(folder, { recursive: true });
  const input = {
    page: join(page, "page.ts"),
    worker: join(page, "worker.ts"),
    "worker-web": join(packages, "backend-cpu", "dist", "worker-web.js"), // backend-cpu starts its threads with the file of this name beside it
  };
  const bundle = await rolldown({ input, platform: "browser", cwd: root, plugins: [throughMaps, legible()] });
  const names = { entryFileNames: "[name].js", chunkFileNames: nameOf };
  const sourcemapPathTransform = (source, map) => relative(root, resolve(dirname(map), source)); // no path of this machine in what is published
  await bundle.write({
    dir: folder,
    format: "esm",
    minify: true,
    comments: { annotation: false },
    sourcemap: true,
    sourcemapPathTransform,
    codeSplitting,
    ...names,
  });
  await bundle.close();
  const copies = [
    ...["index.html", "style.css"].map((file) => [join(page, file), file]),
    ...["kernels.wasm", "kernels-single.wasm"].map((file) => [join(packages, "backend-cpu", "dist", file), file]),
    ...["model", "demo"].map((part) => [join(packages, "qlora", "micro", part), join("micro", part)]),
  ];
  for (const [from, to] of copies) await cp(from, join(folder, to), { recursive: true });
}

/** gpu.js reads the text of these functions, and does not understand all that a minifier makes of them. */
const KERNELS_TO_READ = "backend-gpujs";

/** Takes that file as it was before it was minified. */
function legible() {
  const plain = new Map();
  return {
    name: "legible",
    renderChunk(code, { name, fileName }) {
      if (name === KERNELS_TO_READ) plain.set(fileName, code);
      return null;
    },
    generateBundle(_, bundle) {
      for (const [fileName, code] of plain) {
        bundle[fileName].code = code;
        delete bundle[`${fileName}.map`]; // it is the minified file's
      }
    },
  };
}

/** What several files share is one file, as many small ones compress badly; but for what threads share with the worker, who need no more. */
const codeSplitting = {
  groups: [
    { name: "gpu", test: /node_modules[/\\]gpu\.js/, priority: 3 },
    { name: "shared", minShareCount: 2, test: /packages[/\\](?!backend-)|node_modules/, priority: 2 },
    { name: KERNELS_TO_READ, test: /packages[/\\]backend-gpujs/, priority: 1 },
  ],
};

/** A package that is loaded only when it is used is named after its folder, and a part of one after its file. */
const nameOf = ({ name, facadeModuleId }) => {
  const [, folder] = /packages[/\\]([^/\\]+)[/\\]dist[/\\]index\.js$/.exec(facadeModuleId ?? "") ?? [];
  return `${folder ?? name}.js`;
};

/** Built files come with maps to their sources; the packed file's map goes all the way. */
const throughMaps = {
  name: "through-maps",
  async load(id) {
    if (!id.startsWith(packages) || !existsSync(`${id}.map`)) return null;
    return { code: await readFile(id, "utf8"), map: await readFile(`${id}.map`, "utf8") };
  },
};

const { values } = parseArgs({ options: { out: { type: "string" }, port: { type: "string", default: "0" }, built: { type: "boolean" } } });
if (!values.built) setup();
const folder = resolve(values.out ?? join(root, "node_modules", ".cache", "browser-page"));
await writePage(folder);
if (values.out) console.log(`written to ${folder}`);
else {
  const address = await serveFolder(folder, Number(values.port));
  console.log(`open ${address} (Ctrl-C ends)`);
}
