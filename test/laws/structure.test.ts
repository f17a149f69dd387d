// One name, one place in each room: an op's file in core, its kernels' file, its cases' file.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CASES } from "../ops/index.ts";

const packages = join(import.meta.dirname, "..", "..", "packages");
const OPS = join(packages, "core", "src", "ops");
const UPDATES = join(packages, "core", "src", "updates");
const PLAIN = join(packages, "backend-cpu", "src", "plain");
const GPUJS = join(packages, "backend-gpujs", "src", "kernels");

/** Names of the source files in a folder, without their ending. */
const names = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "index.ts")
    .map((file) => file.slice(0, -3))
    .sort();
const containing = (folder: string, text: string): string[] =>
  names(folder).filter((name) => readFileSync(join(folder, `${name}.ts`), "utf8").includes(text));

describe("structure", () => {
  test("every file that defines ops or updates has a plain file and a gpu.js file of the same name, and no other has one", () => {
    const defined = [...containing(OPS, "defineOp("), ...containing(UPDATES, "defineUpdate(")].sort();
    expect(defined.length).toBeGreaterThan(20);
    expect(containing(PLAIN, "satisfies Partial<KernelTable<Host>>")).toEqual(defined);
    expect(containing(GPUJS, "satisfies Partial<KernelTable<Gpu>>")).toEqual(defined);
  });

  test("every file of ops and updates, composites too, has a case file of the same name that runs", () => {
    const files = [...names(OPS), ...names(UPDATES)].sort();
    const cases = readdirSync(join(import.meta.dirname, "..", "ops"))
      .filter((file) => file.endsWith(".cases.ts"))
      .map((file) => file.slice(0, -".cases.ts".length))
      .sort();
    expect(cases).toEqual(files);
    expect(Object.keys(CASES).sort()).toEqual(files);
  });

  test("every op that a file defines is in the list that kernel tables are held against", () => {
    for (const folder of [OPS, UPDATES]) {
      const listed = readFileSync(join(folder, "index.ts"), "utf8");
      const defined = names(folder).flatMap((name) =>
        [...readFileSync(join(folder, `${name}.ts`), "utf8").matchAll(/export const (\w+) = define(?:Op|Update)\(/g)].map(([, op]) => op!),
      );
      expect(defined.length).toBeGreaterThan(3);
      for (const op of defined) expect(listed).toMatch(new RegExp(`\\b${op}\\b`));
    }
  });
});
