// What the packages weigh in a page: packed as bundlers do, minified, compressed.
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";
import { expect, test } from "vitest";

/** All that a package offers, with what it imports. */
async function pack(name: string): Promise<OutputChunk[]> {
  const bundle = await rolldown({ input: "all", platform: "browser", cwd: import.meta.dirname, plugins: [everythingOf(name)] });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return output.filter((part) => part.type === "chunk");
}

const everythingOf = (name: string) => ({
  name: "everything",
  resolveId: (id: string) => (id === "all" ? "\0all" : null),
  load: (id: string) => (id === "\0all" ? `export * from ${JSON.stringify(name)}` : null),
});

test.each([
  ["@qlora-js/core", 40_000],
  ["@qlora-js/backend-cpu", 40_000],
  ["@qlora-js/backend-webgpu", 50_000],
  ["@qlora-js/backend-gpujs", 180_000], // gpu.js is most of it, with a parser of JavaScript
  ["@qlora-js/qlora", 150_000],
])("%s and what it imports are at most %i bytes, and nothing of it is Node's", async (name, most) => {
  const chunks = await pack(name);
  const files = chunks.map(({ fileName }) => fileName);
  expect(chunks.flatMap(({ imports }) => imports).filter((file) => !files.includes(file))).toEqual([]); // `node:` imports would stay
  const size = chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
  console.log(`${name}, gzip: ${size} bytes`);
  expect(size).toBeLessThanOrEqual(most);
});
