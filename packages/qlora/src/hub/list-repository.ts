// What a repository holds at a revision: its commit, and each file's size and hash, through the hub's own client. Nothing of it is believed before it is
// checked: names become paths of this machine, hashes become file names, sizes are what the disk must have room for.
import * as z from "zod/mini";
import { HubError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import type { Hub } from "./hub.ts";
import { isSafePath } from "./hub-name.ts";
import { hubRequest } from "./hub-request.ts";
import { type HubSource, isCommit, sourceWords } from "./hub-source.ts";
import { retryDelay } from "./retry-delay.ts";

export interface RepositoryFile {
  readonly path: string;
  readonly size: number;
  /** Name in the cache, and hash of the content: SHA-256 where large files are kept apart (LFS, Xet), else git's SHA-1. */
  readonly id: string;
}

export interface Listing {
  readonly commit: string;
  readonly files: readonly RepositoryFile[];
}

export interface ListOptions {
  /** Folders too. */
  readonly recursive: boolean;
  /** Times a request is tried. */
  readonly attempts: number;
}

/** More than any repository of models or rows has. */
const MOST_FILES = 100_000;
const MOST_PAGES = 1000;
const MOST_BYTES = 64 << 20;

const size = z.int().check(z.nonnegative());
const fileSchema = z.object({
  type: z.literal("file"),
  path: z.string(),
  size,
  oid: z.string().check(z.regex(/^[0-9a-f]{40}$/)),
  lfs: z.nullish(z.object({ oid: z.string().check(z.regex(/^[0-9a-f]{64}$/)), size })),
});

/**
 * Lists a repository.
 * @throws HubError if there is none that may be seen, no such revision, or the hub's answer is none or is not safe
 */
export async function listRepository(hub: Hub, source: HubSource, { recursive, attempts }: ListOptions): Promise<Listing> {
  const client = await import("@huggingface/hub");
  const { kind, repository, revision } = source;
  const given = { hubUrl: hub.endpoint, fetch: askingFetch(hub, source, attempts) };
  try {
    const info = { ...given, name: repository, revision, additionalFields: ["sha" as const] };
    const commit = isCommit(revision) ? revision : (await (kind === "model" ? client.modelInfo(info) : client.datasetInfo(info))).sha;
    if (typeof commit !== "string" || !isCommit(commit)) throw strange(source, `the commit ${quoted(commit)}`);
    const files: RepositoryFile[] = [];
    for await (const entry of client.listFiles({ ...given, repo: { type: kind, name: repository }, revision: commit, recursive })) {
      if (entry?.type !== "directory") files.push(checkedFile(source, entry));
      if (files.length > MOST_FILES) throw strange(source, `more than ${MOST_FILES} files`);
    }
    return { commit, files };
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw strange(source, "a listing that cannot be read", cause);
  }
}

function checkedFile(source: HubSource, entry: unknown): RepositoryFile {
  const result = fileSchema.safeParse(entry);
  if (!result.success) throw strange(source, `a file that lacks its ${result.error.issues[0]!.path.join(".")}, or has it wrong`);
  const { path, size, oid, lfs } = result.data;
  if (!isSafePath(path)) throw strange(source, `a file of the name ${quoted(path)}, which leads out of its folder`);
  return lfs ? { path, size: lfs.size, id: lfs.oid } : { path, size, id: oid };
}

function strange(source: HubSource, what: string, cause?: unknown): HubError {
  const text = `the hub's answer has ${what}. Nothing was downloaded. Check HF_ENDPOINT.`;
  return new HubError(sourceWords(source), "answer", text, { answer: what }, { cause });
}

/** The client's `fetch`: ours, with a bound on what it takes in, and tried again where a failure passes. */
function askingFetch(hub: Hub, source: HubSource, attempts: number): typeof fetch {
  let pages = 0;
  return async (url) => {
    if (++pages > MOST_PAGES) throw strange(source, `more than ${MOST_PAGES} pages`);
    for (let failures = 1; ; failures++) {
      try {
        return await wholeAnswer(String(url));
      } catch (error) {
        const delay = retryDelay(error, failures, attempts);
        if (delay === undefined) throw error;
        await hub.wait(delay);
      }
    }
  };

  async function wholeAnswer(url: string): Promise<Response> {
    const { status, headers, chunks } = await hubRequest(hub, source, { url });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of chunks()) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) throw strange(source, `more than ${MOST_BYTES} bytes`);
      parts.push(chunk);
    }
    return new Response(Buffer.concat(parts), { status, headers });
  }
}
