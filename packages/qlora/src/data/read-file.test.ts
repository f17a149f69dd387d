import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findData, readDataFile } from "./read-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qlora-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("findData", () => {
  it("takes a file, or a folder's train.jsonl with its valid.jsonl if there is one", async () => {
    await expect(findData(folder)).rejects.toMatchObject({ name: "UsageError", where: folder });
    const train = await write("train.jsonl", "");
    expect(await findData(train)).toEqual({ train });
    expect(await findData(folder)).toEqual({ train });
    const valid = await write("valid.jsonl", "");
    expect(await findData(folder)).toEqual({ train, valid });
  });

  it("refuses what is not there", async () => {
    await expect(findData(join(folder, "nowhere"))).rejects.toMatchObject({ name: "UsageError", where: join(folder, "nowhere") });
  });
});

describe("readDataFile", () => {
  it("reads rows and hashes the bytes", async () => {
    const content = `${JSON.stringify({ text: "né 🎉".repeat(50_000) })}\n\n${JSON.stringify({ text: "b" })}\n`;
    const path = await write("rows.jsonl", content);
    const file = await readDataFile(path);
    expect(file).toMatchObject({ path, kind: "text", sha256: createHash("sha256").update(content).digest("hex") });
    expect(file.rows.map(({ line }) => line)).toEqual([1, 3]);
    expect(file.rows[0]?.row).toEqual({ kind: "text", text: "né 🎉".repeat(50_000) });
  });

  it("names the file and line of a broken row", async () => {
    const path = await write("broken.jsonl", '{"text":"a"}\n{"text":');
    await expect(readDataFile(path)).rejects.toMatchObject({ name: "UsageError", where: "broken.jsonl line 2" });
  });

  it("refuses an empty file, one that is not UTF-8, and one that cannot be read", async () => {
    await expect(readDataFile(await write("empty.jsonl", "\n"))).rejects.toMatchObject({ name: "UsageError", where: "empty.jsonl" });
    const latin = await write("latin.jsonl", Uint8Array.of(0x22, 0xe9, 0x22));
    await expect(readDataFile(latin)).rejects.toMatchObject({ name: "UsageError", fields: { path: latin } });
    const missing = join(folder, "missing.jsonl");
    await expect(readDataFile(missing)).rejects.toMatchObject({ name: "UsageError", fields: { path: missing, code: "ENOENT" } });
  });
});
