// Files that pyarrow wrote (test/reference/make_parquet.py), whole and damaged.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { FUZZ_TIMEOUT, fuzzCases } from "../fuzz-cases.fixture.ts";
import type { JsonLine } from "./jsonl.ts";
import { ParquetReader, parquetRows } from "./parquet.ts";
import { findData, readDataFile } from "./read-file.ts";

const REFERENCE = fileURLToPath(new URL("../../../../test/reference/parquet/", import.meta.url));
const ROWS = Object.fromEntries(
  readFileSync(join(REFERENCE, "rows.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as [string, Record<string, unknown>[]]),
);
const written = (name: string): string => join(REFERENCE, `${name}.parquet`);
const folder = mkdtempSync(join(tmpdir(), "parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function all(rows: AsyncIterable<JsonLine>): Promise<JsonLine[]> {
  const found: JsonLine[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe("a parquet file", () => {
  it.each([
    ["messages-snappy", ["messages"]],
    ["instruction-zstd", ["instruction", "input", "output"]],
    ["text-groups", ["text"]],
    ["completion-v2", ["prompt", "completion"]],
    ["tokens-plain", ["input_ids", "labels"]],
    ["text-lz4", ["text"]],
  ] as const)("%s has the rows that pyarrow reads, of the columns that are rows", async (name, keys) => {
    const expected = ROWS[name]!.map((row) => Object.fromEntries(keys.map((key) => [key, row[key]])));
    const found = await all(parquetRows(written(name)));
    expect(found.map(({ value }) => value)).toEqual(expected);
    expect(found.map(({ line }) => line)).toEqual(expected.map((_, i) => i + 1));
  });

  it("is a data file like others: of a kind, with its hash, and refused by its columns if it has no rows", async () => {
    const file = await readDataFile(written("messages-snappy"));
    expect([file.kind, file.rows.length, file.sha256.length]).toEqual(["messages", 12, 64]);
    expect(file.rows[2]).toMatchObject({ line: 3, row: { messages: ROWS["messages-snappy"]![2]!.messages } });
    await expect(readDataFile(written("columns"))).rejects.toThrow(/the keys "question", "answer" fit no kind of row/);
    await expect(readDataFile(join(folder, "none.parquet"))).rejects.toThrow(UsageError);
  });

  it("is found in a folder as the hub's data sets name it", async () => {
    const data = join(folder, "data");
    mkdirSync(data);
    const [train, valid] = ["train-00000-of-00001.parquet", "validation-00000-of-00001.parquet"].map((name) => join(data, name));
    copyFileSync(written("text-lz4"), train!);
    expect(await findData(folder)).toEqual({ train: [train] });
    copyFileSync(written("text-lz4"), valid!);
    expect(await findData(folder)).toEqual({ train: [train], valid: [valid] });
    copyFileSync(written("text-lz4"), join(folder, "train.parquet"));
    expect(await findData(folder)).toEqual({ train: [join(folder, "train.parquet")], valid: [valid] });
  });

  it("may be one of several, which are read in their order, if none is missing", async () => {
    const parts = join(folder, "parts");
    mkdirSync(parts);
    const part = (no: number, name: string) => {
      const path = join(parts, `train-0000${no}-of-00002.parquet`);
      copyFileSync(written(name), path);
      return path;
    };
    const second = part(1, "text-groups");
    await expect(findData(parts)).rejects.toThrow(/lacks some of the files of train/);
    part(0, "text-lz4");
    const { train } = await findData(parts);
    expect(train[1]).toBe(second);
    const { rows, sha256 } = await readDataFile(train);
    expect(rows.map(({ row }) => row)).toMatchObject([...ROWS["text-lz4"]!, ...ROWS["text-groups"]!].map(({ text }) => ({ text })));
    const bytes = Buffer.concat(train.map((path) => readFileSync(path)));
    expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    copyFileSync(written("text-lz4"), join(parts, "train.parquet"));
    await expect(findData(parts)).rejects.toThrow(/3 files of rows that may be meant for train/);
  });

  it("is given up where its reader is silent", async () => {
    await expect(all(parquetRows(written("text-groups"), { heapMb: 200, silenceMs: 0 }))).rejects.toThrow(/nothing came for 0 s/);
  });

  it("is refused with a typed error where it is cut short, or no such file", async () => {
    const path = join(folder, "broken.parquet");
    const sound = readFileSync(written("messages-snappy"));
    for (const bytes of [Buffer.alloc(0), Buffer.from("PAR1"), sound.subarray(0, 900), sound.subarray(600), Buffer.alloc(5000, "PAR1")]) {
      writeFileSync(path, bytes);
      await expect(all(parquetRows(path))).rejects.toMatchObject({
        name: "UsageError",
        where: path,
        message: expect.stringContaining("as parquet"),
      });
    }
  });

  it(
    "is read or refused with a typed error, whatever is done to it, in a process that may not take much",
    async () => {
      const path = join(folder, "damaged.parquet");
      const sound = ["messages-snappy", "completion-v2", "tokens-plain"].map((name) => readFileSync(written(name)));
      let state = 20230523;
      const next = (below: number): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const reader = new ParquetReader({ heapMb: 200, silenceMs: 1_000 });
      for (let i = 0; i < fuzzCases(300); i++) {
        const bytes = Buffer.from(sound[i % sound.length]!);
        for (let changes = 1 + next(3); changes > 0; changes--) bytes[next(bytes.length)] = [0, 0x7f, 0xff, next(256)][next(4)]!;
        writeFileSync(path, bytes);
        const failed = await all(reader.rows(path)).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failed !== undefined) expect(failed).toBeInstanceOf(UsageError);
      }
      reader.close();
    },
    FUZZ_TIMEOUT,
  );
});
