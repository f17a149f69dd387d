import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FormatError } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { bytesSource } from "./byte-source.ts";
import { hashFile, hashFiles } from "./file-hash.ts";
import { openFile } from "./file-source.ts";
import { listing, memoryFolder } from "./folder.ts";
import { openFolder } from "./node-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "qlora-files-"));
  await writeFile(
    join(folder, "data"),
    Uint8Array.from({ length: 10 }, (_, i) => i),
  );
});
afterEach(() => rm(folder, { recursive: true }));

describe.each([
  ["a file", () => openFile(join(folder, "data"))],
  ["bytes in memory", async () => bytesSource(Uint8Array.from({ length: 10 }, (_, i) => i))],
])("%s as a source", (_, open) => {
  test("is read at any place, into a buffer of its own", async () => {
    const source = await open();
    const bytes = await source.read(3, 4);
    expect(bytes).toEqual(Uint8Array.of(3, 4, 5, 6));
    expect(bytes.buffer.byteLength).toBe(4);
    expect(await source.read(10, 0)).toEqual(new Uint8Array(0));
    await source.close();
  });

  test.each([
    [0, 11],
    [11, 0],
    [-1, 2],
    [0.5, 1],
    [0, Number.POSITIVE_INFINITY],
    [2 ** 53, 2 ** 53],
  ])("refuses a range outside it: %s, %s", async (at, length) => {
    const source = await open();
    await expect(source.read(at, length)).rejects.toThrow(FormatError);
    await source.close();
  });
});

test("a file that shrinks while it is open is found out", async () => {
  const source = await openFile(join(folder, "data"));
  await truncate(join(folder, "data"), 5);
  await expect(source.read(0, 10)).rejects.toThrow(/ended at byte 5 of 10/);
  await source.close();
});

test("a file that is not there, a folder and a pipe are refused by name", async () => {
  await expect(openFile(join(folder, "nothing"))).rejects.toThrow(
    expect.objectContaining({ name: "FormatError", file: join(folder, "nothing") }),
  );
  await expect(openFile(folder)).rejects.toThrow(/not an ordinary file/);
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(folder, "pipe")]);
  await expect(openFile(join(folder, "pipe"))).rejects.toThrow(/not an ordinary file/);
});

test("a folder lists its files, and says what it holds", async () => {
  const opened = await openFolder(folder);
  expect(opened.files).toEqual(["data"]);
  expect(listing(opened)).toBe("It holds data");
  expect((await opened.open("data")).byteLength).toBe(10);
  expect(listing(memoryFolder(new Map()))).toBe("It holds no files");
  expect(listing(memoryFolder(new Map(Array.from({ length: 10 }, (_, i) => [`f${i}`, new Uint8Array(0)]))))).toMatch(/f7 and 2 more$/);
});

test("a folder that is not there, and a file in its place, are the user's errors", async () => {
  await expect(openFolder(join(folder, "nothing"))).rejects.toThrow(UsageError);
  await expect(openFolder(join(folder, "data"))).rejects.toThrow(/is a file, not a folder/);
});

test("hashes are those of sha256", async () => {
  await writeFile(join(folder, "abc"), "abc");
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
  expect(await hashFile(join(folder, "abc"))).toEqual({ file: join(folder, "abc"), bytes: 3, sha256 });
  expect(await hashFiles(folder, ["abc"])).toEqual([{ file: "abc", bytes: 3, sha256 }]);
});
