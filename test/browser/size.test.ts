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

const weight = (chunks: readonly OutputChunk[]): number => chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);

/** The entry, and what it imports before it runs. */
function atOnce(chunks: readonly OutputChunk[]): OutputChunk[] {
  const named = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of loaded) for (const file of imports) loaded.add(named.get(file)!);
  return [...loaded];
}

test.each([
  ["@qlora-js/core", 40_000, 40_000],
  ["@qlora-js/backend-cpu", 40_000, 40_000],
  ["@qlora-js/backend-webgpu", 50_000, 50_000],
  ["@qlora-js/backend-gpujs", 180_000, 180_000], // gpu.js is most of it, with a parser of JavaScript
  ["@qlora-js/qlora", 150_000, 165_000],
])("%s loads at most %i bytes, and %i with what it loads when it is needed; nothing of it is Node's", async (name, most, mostInAll) => {
  const chunks = await pack(name);
  const files = chunks.map(({ fileName }) => fileName);
  expect(chunks.flatMap(({ imports }) => imports).filter((file) => !files.includes(file))).toEqual([]); // `node:` imports would stay
  const [loaded, inAll] = [weight(atOnce(chunks)), weight(chunks)];
  console.log(`${name}, gzip: ${loaded} bytes, ${inAll} with what is loaded when it is needed`);
  expect(loaded).toBeLessThanOrEqual(most);
  expect(inAll).toBeLessThanOrEqual(mostInAll);
});
