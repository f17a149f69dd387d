// One file's content into the cache: gone on with where it stopped, checked against its hash, and put in its place at once. Of several processes that want
// it one downloads and the others wait. Node only.
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { HubError, StorageError } from "../error.ts";
import { ProcessLock } from "../process-lock.ts";
import { fileSize } from "./file-size.ts";
import type { Hub } from "./hub.ts";
import { hubRequest } from "./hub-request.ts";
import { cachePlaces, type HubSource, sourceWords } from "./hub-source.ts";
import type { RepositoryFile } from "./list-repository.ts";
import { PartialFile } from "./partial-file.ts";
import { retryDelay } from "./retry-delay.ts";

export interface BlobDownload {
  readonly hub: Hub;
  readonly source: HubSource;
  readonly commit: string;
  readonly file: RepositoryFile;
  /** Bytes that are there now and were not before; below zero where some were thrown away. */
  readonly onBytes: (bytes: number) => void;
  /** Told when something is waited for, in words. */
  readonly onWait: (why: string) => void;
  readonly signal?: AbortSignal;
}

/** A lock's file is looked at so often. */
const TURN_MS = 300;
/** A process that holds a lock and downloads nothing for so long is passed by. */
const STUCK_MS = 120_000;

/** What of a content is on the disk of a download that was stopped. */
export const partialPath = (blob: string): string => `${blob}.qlora.incomplete`;

/**
 * Downloads a content, if it is not there.
 * @throws HubError if it cannot be had, or is not what its hash says; StorageError if it cannot be written. What has come is kept.
 */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  const { hub, source, file } = download;
  const places = cachePlaces(hub, source);
  const blob = places.blob(file.id);
  const there = await fileSize(blob);
  if (there === file.size) return;
  if (there !== undefined) await rm(blob, { force: true }); // cut short by a disk or a hand; its hash cannot fit
  const begun = (await fileSize(partialPath(blob))) ?? 0;
  const turn = await takeTurn(download, places.lock(file.id), blob);
  if (turn === "made") return download.onBytes(file.size - begun);
  try {
    if ((await fileSize(blob)) === file.size) return;
    await fill(download, blob, turn === "stuck" ? `${blob}.${randomBytes(4).toString("hex")}.incomplete` : partialPath(blob));
  } finally {
    if (turn instanceof ProcessLock) await turn.release();
  }
}

/** The right to download, unless another does so meanwhile. */
async function takeTurn({ hub, file, onWait, signal }: BlobDownload, path: string, blob: string): Promise<ProcessLock | "made" | "stuck"> {
  await mkdir(dirname(path), { recursive: true });
  let [grown, still] = [-1, 0];
  for (let first = true; still < STUCK_MS; first = false) {
    const taken = await ProcessLock.take(path);
    if (taken instanceof ProcessLock) return taken;
    if (first) onWait(`another process (${taken.pid}) is downloading ${file.path}`);
    await hub.wait(TURN_MS, signal).catch((ended: unknown) => Promise.reject(signal?.reason ?? ended));
    if ((await fileSize(blob)) === file.size) return "made";
    const bytes = (await fileSize(partialPath(blob))) ?? 0;
    still = bytes === grown ? still + TURN_MS : 0;
    grown = bytes;
  }
  return "stuck";
}

async function fill(download: BlobDownload, blob: string, path: string): Promise<void> {
  const { hub, source, file, onBytes } = download;
  const partial = await PartialFile.open(path, file);
  try {
    for (let last = false; ; last = true) {
      await complete(download, partial);
      const found = partial.digest();
      if (found === file.id) return await partial.finish(blob);
      onBytes(-partial.bytes);
      await partial.restart();
      if (!last) continue;
      const what = `${file.path} does not come as the hub says it is: its hash is ${found}, not ${file.id}, twice. `;
      const advice = `Try again later; what stands between here and ${new URL(hub.endpoint).host} may change files.`;
      throw new HubError(sourceWords(source), "damaged", what + advice, { file: file.path, expected: file.id, found });
    }
  } catch (error) {
    if (error instanceof StorageError && (error.code === "ENOSPC" || error.code === "EDQUOT")) throw noRoom(download, error);
    throw error;
  } finally {
    await partial.close();
  }
}

function noRoom({ hub, source, file }: BlobDownload, cause: StorageError): HubError {
  const what = `the disk of ${hub.cache} has no room left for ${file.path}. Free some, or set HF_HUB_CACHE to a folder of another; what has come is kept.`;
  return new HubError(sourceWords(source), "space", what, { file: file.path, cache: hub.cache }, { cause });
}

/** All bytes, over as many connections as it takes; given up when several in a row bring none. */
async function complete(download: BlobDownload, partial: PartialFile): Promise<void> {
  const { hub, onWait, signal } = download;
  for (let failures = 0; !partial.isWhole; ) {
    const before = partial.bytes;
    try {
      await transfer(download, partial);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      failures = partial.bytes > before ? 1 : failures + 1;
      const delay = retryDelay(error, failures);
      if (delay === undefined) throw error;
      onWait(`${(error as Error).message} Trying again in ${Math.round(delay / 1000)} s.`);
      await hub.wait(delay, signal).catch((ended: unknown) => Promise.reject(signal?.reason ?? ended));
    }
  }
}

/** What one connection brings. */
async function transfer({ hub, source, commit, file, onBytes, signal }: BlobDownload, partial: PartialFile): Promise<void> {
  const name = sourceWords(source);
  const kind = source.kind === "model" ? "" : "datasets/";
  const url = `${hub.endpoint}/${kind}${source.repository}/resolve/${commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
  const headers: Record<string, string> = partial.bytes > 0 ? { range: `bytes=${partial.bytes}-` } : {};
  const onAnswer = (found: Headers): void => checkIsThatFile(name, file, found);
  const answer = await hubRequest(hub, source, { url, headers, file: file.path, signal, onAnswer });
  if (answer.status !== 206 || !startsAt(answer.headers, partial.bytes)) {
    // ranges are not served here, or not that one
    onBytes(-partial.bytes);
    if (partial.bytes > 0) await partial.restart();
  }
  for await (const chunk of answer.chunks()) {
    if (partial.bytes + chunk.byteLength > file.size) {
      onBytes(-partial.bytes);
      await partial.restart();
      throw new HubError(name, "damaged", `${file.path} is longer than the ${file.size} bytes that the hub says it has.`, {
        file: file.path,
      });
    }
    await partial.append(chunk);
    onBytes(chunk.byteLength);
  }
  if (!partial.isWhole)
    throw new HubError(name, "unreachable", `the connection ended after ${partial.bytes} of ${file.size} bytes of ${file.path}.`, {
      file: file.path,
      bytes: partial.bytes,
    });
}

const startsAt = (headers: Headers, at: number): boolean => headers.get("content-range")?.startsWith(`bytes ${at}-`) ?? false;

/** A hub says the hash of a large file before it sends elsewhere for it: another is found out before its bytes come. */
function checkIsThatFile(name: string, file: RepositoryFile, headers: Headers): void {
  const hash = /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(headers.get("x-linked-etag") ?? "")?.[1];
  if (hash === undefined || file.id.length !== 64 || hash === file.id) return;
  const what = `${file.path} is another file than the hub's own list says (${hash}, not ${file.id}). Try again later.`;
  throw new HubError(name, "damaged", what, { file: file.path, expected: file.id, found: hash });
}
