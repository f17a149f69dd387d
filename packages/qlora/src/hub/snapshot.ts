// Files of a repository as a folder of this machine: listed, checked for room, downloaded, linked. What is in the cache already is not asked for again.
// A snapshot shows a file only when all that were wanted are there, and a revision is noted last: whatever is cut short, what is found later is whole.
// Node only.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { HubError, UsageError } from "../error.ts";
import { showBytes } from "../plan/byte-size.ts";
import { writeFileSafely } from "../safe-write.ts";
import { cachedFiles } from "./cached-files.ts";
import { downloadBlob, partialPath } from "./download-blob.ts";
import { fileSize } from "./file-size.ts";
import type { Hub } from "./hub.ts";
import { cachePlaces, type HubSource, isCommit, kindWords, sourceWords } from "./hub-source.ts";
import { linkFile } from "./link-file.ts";
import { type Listing, listRepository, type RepositoryFile } from "./list-repository.ts";
import { MOST_ATTEMPTS } from "./retry-delay.ts";

/** What is about to be downloaded. */
export interface DownloadPlan {
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly RepositoryFile[];
  /** Still to come. */
  readonly bytes: number;
  readonly freeBytes: number;
  /** The folder of all repositories. */
  readonly cache: string;
}

/** Told as it goes; all may be left out. */
export interface DownloadListener {
  /** Hears what will be downloaded, before it is. */
  readonly onPlan?: (plan: DownloadPlan) => void;
  /** Hears of bytes as they come. */
  readonly onBytes?: (bytes: number) => void;
  /** What is waited for, or done without, in words. */
  readonly onNote?: (text: string) => void;
  /** Hears when all is there. */
  readonly onDone?: () => void;
}

export interface SnapshotOptions extends DownloadListener {
  /**
   * The files that are needed, of those there are.
   * @throws UsageError if they are not among them
   */
  readonly choose: (files: readonly RepositoryFile[]) => readonly RepositoryFile[];
  /** Whether files in folders may be among them. */
  readonly recursive: boolean;
}

export interface Snapshot {
  readonly folder: string;
  readonly commit: string;
  /** Those chosen, by their paths in the folder. */
  readonly files: readonly string[];
}

/** Files that are downloaded at one time. */
const AT_ONCE = 4;

/**
 * Files of a repository, from the cache or the hub.
 * @throws HubError if they cannot be had; UsageError as `choose`; StorageError if the cache cannot be written
 */
export async function hubSnapshot(hub: Hub, source: HubSource, options: SnapshotOptions): Promise<Snapshot> {
  const cached = await fromCache(hub, source, options);
  if (hub.offline) {
    if (cached.snapshot) return cached.snapshot;
    throw notCached(hub, source, cached.why);
  }
  let listing: Listing;
  try {
    listing = await listRepository(hub, source, { recursive: options.recursive, attempts: cached.snapshot ? 1 : MOST_ATTEMPTS });
  } catch (error) {
    if (!cached.snapshot || !(error instanceof HubError) || error.problem === "revision" || error.problem === "answer") throw error;
    options.onNote?.(`${error.message} Using what is in the cache, commit ${cached.snapshot.commit.slice(0, 12)}.`);
    return cached.snapshot;
  }
  return download(hub, source, listing, options.choose(listing.files), options);
}

interface Cached {
  readonly snapshot?: Snapshot;
  /** Why there is none. */
  readonly why?: UsageError;
}

async function fromCache(hub: Hub, source: HubSource, { choose }: SnapshotOptions): Promise<Cached> {
  const listing = await cachedFiles(hub, source);
  if (!listing) return {};
  const { commit, files } = listing;
  try {
    return { snapshot: { commit, folder: cachePlaces(hub, source).snapshot(commit), files: choose(files).map(({ path }) => path) } };
  } catch (error) {
    if (error instanceof UsageError) return { why: error };
    throw error;
  }
}

function notCached(hub: Hub, source: HubSource, why: UsageError | undefined): HubError {
  const part = why ? `The cache has only a part of it: ${why.message}` : `${hub.cache} has nothing of it.`;
  const what = `the ${kindWords(source)} is to be used offline, and is not in the cache. ${part} Run this once without --offline and HF_HUB_OFFLINE.`;
  return new HubError(sourceWords(source), "offline", what, { cache: hub.cache }, { cause: why });
}

async function download(
  hub: Hub,
  source: HubSource,
  { commit }: Listing,
  files: readonly RepositoryFile[],
  listener: DownloadListener,
): Promise<Snapshot> {
  const places = cachePlaces(hub, source);
  const folder = places.snapshot(commit);
  const isThere = await Promise.all(files.map(async ({ path, size }) => (await fileSize(join(folder, path))) === size));
  const missing = files.filter((_, i) => !isThere[i]);
  if (missing.length > 0) {
    await checkRoom(hub, source, commit, missing, listener);
    await downloadAll(hub, source, commit, missing, listener);
    for (const { path, id } of missing) await linkFile(places.blob(id), join(folder, path), hub.symlinks);
    listener.onDone?.();
  }
  // a cache that may only be read is good enough for what is in it
  if (!isCommit(source.revision))
    await writeFileSafely(places.ref, commit).catch((error) => (missing.length > 0 ? Promise.reject(error) : undefined));
  return { folder, commit, files: files.map(({ path }) => path) };
}

async function checkRoom(
  hub: Hub,
  source: HubSource,
  commit: string,
  files: readonly RepositoryFile[],
  { onPlan }: DownloadListener,
): Promise<void> {
  const { blob } = cachePlaces(hub, source);
  const contents = [...new Map(files.map((file) => [file.id, file])).values()];
  let bytes = 0;
  for (const { id, size } of contents) {
    if ((await fileSize(blob(id))) !== size) bytes += size - Math.min(size, (await fileSize(partialPath(blob(id)))) ?? 0);
  }
  await mkdir(hub.cache, { recursive: true });
  const freeBytes = await hub.freeBytes(hub.cache);
  onPlan?.({ repository: source.repository, commit, files, bytes, freeBytes, cache: hub.cache });
  if (bytes <= freeBytes) return;
  const what = `${showBytes(bytes)} are to be downloaded, and the disk of ${hub.cache} has room for ${showBytes(freeBytes)}. `;
  const advice = "Free some, or set HF_HUB_CACHE to a folder of another disk.";
  throw new HubError(sourceWords(source), "space", what + advice, { bytes, freeBytes, cache: hub.cache });
}

/** The small ones are begun first. The first that fails ends the others; what has come is kept. */
async function downloadAll(
  hub: Hub,
  source: HubSource,
  commit: string,
  files: readonly RepositoryFile[],
  { onBytes = () => {}, onNote = () => {} }: DownloadListener,
): Promise<void> {
  const contents = [...new Map(files.map((file) => [file.id, file])).values()].sort((a, b) => a.size - b.size);
  const ended = new AbortController();
  const next = contents.values();
  const work = async (): Promise<void> => {
    for (const file of next) {
      if (ended.signal.aborted) return;
      await downloadBlob({ hub, source, commit, file, onBytes, onWait: onNote, signal: ended.signal });
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      ended.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  if (ended.signal.aborted) throw ended.signal.reason;
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
