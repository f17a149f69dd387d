// A process that reads parquet files, one after another, with hyparquet. That believes what a file says of itself; in a process of its own a file that lies cannot take more
// memory than the process may (a thread that runs out of it can take all others along), and can be stopped. One row group is in memory at a time, of the
// columns that are rows to us.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { kindOf, ROW_KEYS } from "./row-kinds.ts";

/** The file to read, or what comes next of it. */
export type ParquetRequest = { readonly open: string } | "next";

/** Rows of a file, as JSON; or the names of its columns, where they are no rows. `from` counts from 0. */
export type ParquetReply =
  | { readonly kind: "rows"; readonly from: number; readonly rows: readonly string[] }
  | { readonly kind: "columns"; readonly names: readonly string[] }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly message: string };

/** Rows handed over at a time. */
const BATCH = 500;
/** The most that one page may say it unpacks to; writers make pages of 1 MB. */
const MOST_PAGE_BYTES = 1 << 28;

/** Compressors that refuse a page which claims to be enormous. */
const bounded: typeof compressors = Object.fromEntries(
  Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number) => {
      if (!(length >= 0 && length <= MOST_PAGE_BYTES)) throw new Error(`a page of ${length} bytes`);
      return unpack(input, length);
    },
  ]),
);

async function* replies(path: string): AsyncGenerator<ParquetReply> {
  const file = await asyncBufferFromFile(path);
  if (file.byteLength < 12) throw new Error(`it has ${file.byteLength} bytes`);
  const metadata = await parquetMetadataAsync(file);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const kind = kindOf(names);
  if (kind === undefined) return yield { kind: "columns", names };
  const columns = [...ROW_KEYS[kind], ...(kind === "instruction" && names.includes("input") ? ["input"] : [])];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const read = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors: bounded });
    if (read.length !== rowEnd - rowStart) throw new Error(`a group of ${rowEnd - rowStart} rows has ${read.length}`);
    for (let at = 0; at < read.length; at += BATCH) {
      const rows = read.slice(at, at + BATCH).map((row) => JSON.stringify(row, plain));
      yield { kind: "rows", from: rowStart + at, rows };
    }
    rowStart = rowEnd;
  }
  yield { kind: "end" };
}

/** Whole numbers of 64 bits are ids; lists of numbers come as typed arrays. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as Iterable<unknown>) : value;
}

const send = (reply: ParquetReply): void => void process.send?.(reply);

let iterator = replies("");
process.on("message", (request: ParquetRequest) => {
  if (request !== "next") iterator = replies(request.open);
  iterator.next().then(
    ({ value, done }) => send(done ? { kind: "end" } : value),
    (cause: unknown) => send({ kind: "error", message: cause instanceof Error ? cause.message : String(cause) }),
  );
});
