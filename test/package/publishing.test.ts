// What npm would publish: complete, resolvable by its users, without install scripts, and with nothing in it that is only ours.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const packages = readdirSync(join(root, "packages"));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly sideEffects: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}
const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as Manifest;
const binary = (name: string): string => join(root, "node_modules", ".bin", name);
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

describe.each(packages)("packages/%s", (name) => {
  const folder = join(root, "packages", name);

  /** Packed once, as npm would for publishing. */
  const out = mkdtempSync(join(tmpdir(), "qlora-packed-"));
  let tarball: string;
  let paths: readonly string[];
  beforeAll(() => {
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", out];
    const [{ filename, files }] = JSON.parse(run("npm", args, folder)) as [{ filename: string; files: readonly { path: string }[] }];
    tarball = join(out, filename);
    paths = files.map(({ path }) => path);
  });
  afterAll(() => rmSync(out, { recursive: true }));

  it("passes publint strictly", async () => {
    const { buffer } = new Uint8Array(readFileSync(tarball));
    expect((await publint({ pack: { tarball: buffer }, strict: true })).messages).toEqual([]);
  });

  it("resolves for ESM users with its types (attw)", () => {
    const report = run(binary("attw"), [tarball, "--profile", "esm-only", "--format", "json"], folder);
    const { analysis } = JSON.parse(report) as { analysis: { problems: readonly { kind: string; resolutionKind?: string }[] } };
    // esm-only: importing from CommonJS and the resolution of before 2022 are out of scope
    expect(analysis.problems.filter((p) => p.resolutionKind !== "node10" && p.resolutionKind !== "node16-cjs")).toEqual([]);
  });

  it("runs nothing when it is installed and has no side effects when it is imported", () => {
    const { scripts, sideEffects } = manifest(name);
    expect(Object.keys(scripts ?? {}).filter((script) => /install|prepare/.test(script))).toEqual([]);
    expect(sideEffects).toBe(false);
  });

  it("depends on its siblings by their exact version", () => {
    for (const [dependency, version] of Object.entries(manifest(name).dependencies ?? {})) {
      const sibling = packages.find((other) => manifest(other).name === dependency);
      if (sibling) expect(version).toBe(manifest(sibling).version);
    }
  });

  it("packs code, types, sources and the licence, and no tests", () => {
    for (const needed of ["LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) expect(paths).toContain(needed);
    expect(paths.filter((path) => /\.test\.|\.fixture\.|tsbuildinfo/.test(path))).toEqual([]);
  });
});
