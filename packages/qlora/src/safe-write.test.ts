import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StorageError } from "./error.ts";
import { makeFolders, removeLeftovers, settleFolder, writeFileSafely, writeFolderSafely } from "./safe-write.ts";

let full = false;

// A disk without room: files can be made, but not written. All else goes to the real file system.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const noSpace = () => Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      const handle = await real.open(...args);
      if (full) handle.write = noSpace;
      return handle;
    },
  };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "qlora-write-"));
});
afterEach(async () => {
  full = false;
  await rm(folder, { recursive: true });
});
const text = (name: string) => readFile(join(folder, name), "utf8");

describe("a file", () => {
  test("is written from text, bytes or a stream of pieces, with the folders above it", async () => {
    async function* pieces() {
      yield Uint8Array.of(97);
      yield new Uint8Array(0);
      yield Uint8Array.of(98, 99);
    }
    await writeFileSafely(join(folder, "a/b/text"), "abc");
    await writeFileSafely(join(folder, "bytes"), Uint8Array.of(97, 98));
    await writeFileSafely(join(folder, "pieces"), pieces());
    expect([await text("a/b/text"), await text("bytes"), await text("pieces")]).toEqual(["abc", "ab", "abc"]);
    expect(await readdir(folder)).toEqual(["a", "bytes", "pieces"]);
  });

  test("that fails half-way leaves the older one and no rest", async () => {
    async function* broken() {
      yield Uint8Array.of(1);
      throw new TypeError("from the source");
    }
    await writeFileSafely(join(folder, "f"), "old");
    await expect(writeFileSafely(join(folder, "f"), broken())).rejects.toThrow(TypeError);
    expect(await text("f")).toBe("old");
    expect(await readdir(folder)).toEqual(["f"]);
  });

  test("on a full disk is a StorageError that names it and says to free space, and leaves the older one", async () => {
    await writeFileSafely(join(folder, "f"), "old");
    full = true;
    const writing = writeFileSafely(join(folder, "f"), "new");
    await expect(writing).rejects.toThrow(expect.objectContaining({ name: "StorageError", path: join(folder, "f"), code: "ENOSPC" }));
    await expect(writing).rejects.toThrow(/no space left .* Free some/);
    expect(await text("f")).toBe("old");
    expect(await readdir(folder)).toEqual(["f"]);
  });

  test("below a file, or in a folder's place, is a StorageError", async () => {
    await writeFileSafely(join(folder, "f"), "old");
    await mkdir(join(folder, "d/e"), { recursive: true });
    await expect(writeFileSafely(join(folder, "f/g"), "new")).rejects.toThrow(StorageError);
    await expect(writeFileSafely(join(folder, "d"), "new")).rejects.toThrow(StorageError);
    expect((await readdir(folder)).sort()).toEqual(["d", "f"]);
  });
});

describe("folders above one another", () => {
  test("are made, and may be there already", async () => {
    await Promise.all([makeFolders(join(folder, "a/b/c")), makeFolders(join(folder, "a/b/d"))]);
    await makeFolders(join(folder, "a/b/c"));
    expect(await readdir(join(folder, "a/b"))).toEqual(["c", "d"]);
  });

  test("are refused below a file", async () => {
    await writeFileSafely(join(folder, "f"), "old");
    await expect(makeFolders(join(folder, "f/g/h"))).rejects.toMatchObject({ code: "EEXIST", path: join(folder, "f") });
  });

  test.skipIf(!existsSync("/proc/self"))("are refused where none can be made, without trying for ever (needs /proc)", async () => {
    await expect(makeFolders("/proc/qlora/run")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a folder", () => {
  const fill = (content: string) => (temporary: string) => writeFile(join(temporary, "f"), content);

  test("is made, and replaced, as a whole", async () => {
    await writeFolderSafely(join(folder, "run"), fill("1"));
    expect(await text("run/f")).toBe("1");
    await writeFolderSafely(join(folder, "run"), async (temporary) => {
      expect(await text("run/f")).toBe("1");
      await writeFile(join(temporary, "g"), "2");
    });
    expect(await readdir(join(folder, "run"))).toEqual(["g"]);
    expect(await readdir(folder)).toEqual(["run"]);
  });

  test("whose filling fails leaves the older one and no rest", async () => {
    await writeFolderSafely(join(folder, "run"), fill("1"));
    await expect(
      writeFolderSafely(join(folder, "run"), () => {
        throw new TypeError("from the caller");
      }),
    ).rejects.toThrow(TypeError);
    expect(await text("run/f")).toBe("1");
    expect(await readdir(folder)).toEqual(["run"]);
  });

  test("on a full disk names the file in the place that was asked for", async () => {
    full = true;
    const writing = writeFolderSafely(join(folder, "run"), (temporary) => writeFileSafely(join(temporary, "f"), "new"));
    await expect(writing).rejects.toThrow(expect.objectContaining({ name: "StorageError", path: join(folder, "run/f"), code: "ENOSPC" }));
    expect(await readdir(folder)).toEqual([]);
  });

  test("is whole after a crash between the two renames, once settled", async () => {
    await writeFolderSafely(join(folder, "run"), fill("1"));
    await rename(join(folder, "run"), join(folder, ".run.previous"));
    await settleFolder(join(folder, "run"));
    expect(await text("run/f")).toBe("1");
    expect(await readdir(folder)).toEqual(["run"]);
  });

  test("is the new one after a crash before the older is removed, once settled", async () => {
    await writeFolderSafely(join(folder, "run"), fill("2"));
    await writeFolderSafely(join(folder, ".run.previous"), fill("1"));
    await settleFolder(join(folder, "run"));
    expect(await text("run/f")).toBe("2");
    expect(await readdir(folder)).toEqual(["run"]);
  });

  test("without anything to settle is left alone", async () => {
    await settleFolder(join(folder, "run"));
    expect(await readdir(folder)).toEqual([]);
  });
});

test("leftovers of killed writers are removed, and nothing else", async () => {
  await mkdir(join(folder, ".run.0123456789ab.tmp"));
  for (const name of [".f.0123456789ab.tmp", "f.tmp", ".f.tmp", "f"]) await writeFile(join(folder, name), "");
  await removeLeftovers(folder);
  expect((await readdir(folder)).sort()).toEqual([".f.tmp", "f", "f.tmp"]);
});
