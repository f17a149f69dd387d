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
    expect(await findData(train)).toEqual({ train: [train] });
    expect(await findData(folder)).toEqual({ train: [train] });
    const valid = await write("valid.jsonl", "");
    expect(await findData(folder)).toEqual({ train: [train], valid: [valid] });
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
    expect(file).toMatchObject({ paths: [path], kind: "text", sha256: createHash("sha256").update(content).digest("hex") });
    expect(file.rows.map(({ line }) => line)).toEqual([1, 3]);
    expect(file.rows[0]?.row).toEqual({ kind: "text", text: "né 🎉".repeat(50_000) });
  });

  it("reads the files of a split one after another, as one data set of one kind", async () => {
    const contents = ['{"text":"a"}\n', '{"text":"b"}\n', '{"prompt":"a","completion":"b"}\n'];
    const paths = await Promise.all(contents.map((content, i) => write(`part-0000${i}-of-00003.jsonl`, content)));
    const file = await readDataFile(paths.slice(0, 2));
    expect(file.rows.map(({ row, file, line }) => [row, file, line])).toEqual([
      [{ kind: "text", text: "a" }, "part-00000-of-00003.jsonl", 1],
      [{ kind: "text", text: "b" }, "part-00001-of-00003.jsonl", 1],
    ]);
    expect(file.sha256).toBe(createHash("sha256").update(contents.slice(0, 2).join("")).digest("hex"));
    await expect(readDataFile(paths)).rejects.toThrow(
      "part-00002-of-00003.jsonl line 1: is a row of prompt + completion, and part-00000-of-00003.jsonl line 1 of text.",
    );
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
