// A hub on this machine, as far as a client that downloads sees one: the revision and the tree of a repository, `resolve` with its headers, and large files
// on another address to which it redirects, with ranges. Faults are put in front of it by `fault`.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Repository {
  readonly kind: "model" | "dataset";
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Of these names, those are kept apart, as LFS keeps large ones. */
  readonly large?: RegExp;
  readonly tags?: readonly string[];
}

/** One request, as it came. */
export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
  /** The hub itself, or where its large files are. */
  readonly at: "hub" | "store";
}

/** Answers a request in the hub's place, if it returns true. */
export type Fault = (asked: Asked, response: ServerResponse, content: Uint8Array | undefined) => boolean;

export class HubServer {
  /** Requests, in order. */
  readonly asked: Asked[] = [];
  fault: Fault = () => false;
  /** Changes the entries of a tree. */
  entries: (entries: Record<string, unknown>[]) => unknown = (entries) => entries;
  /** Files a page of the tree. */
  pageSize = 1000;
  readonly #repositories = new Map<string, Repository>();
  readonly #contents = new Map<string, Uint8Array>();

  private constructor(
    readonly hub: Server,
    readonly store: Server,
  ) {}

  static async start(): Promise<HubServer> {
    const servers = [createServer(), createServer()] as const;
    const started = new HubServer(...servers);
    servers[0].on("request", (request: IncomingMessage, response: ServerResponse) => started.#atHub(request, response));
    servers[1].on("request", (request: IncomingMessage, response: ServerResponse) => started.#atStore(request, response));
    for (const server of servers) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return started;
  }

  get endpoint(): string {
    return addressOf(this.hub);
  }

  add(repository: Repository): string {
    this.#repositories.set(`${repository.kind}s/${repository.name}`, repository);
    for (const content of Object.values(repository.files)) this.#contents.set(sha256(bytesOf(content)), bytesOf(content));
    return commitOf(repository);
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  #note(request: IncomingMessage, at: Asked["at"]): Asked {
    const { range, authorization } = request.headers;
    const asked = { path: decodeURIComponent(request.url!.split("?")[0]!), range, token: authorization, at };
    this.asked.push(asked);
    return asked;
  }

  #atHub(request: IncomingMessage, response: ServerResponse): void {
    const asked = this.#note(request, "hub");
    const api = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(asked.path);
    const file = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(asked.path);
    const repository = this.#repositories.get(api ? `${api[1]}/${api[2]}` : `${file?.[1] ?? "models/"}${file?.[2]}`);
    const content = repository?.files[file?.[4] ?? ""];
    if (this.fault(asked, response, content === undefined ? undefined : bytesOf(content))) return;
    if (!repository) refuse(response, 401, "RepoNotFound");
    else if (api?.[3] === "revision") this.#revision(repository, api[4]!, response);
    else if (api) this.#tree(repository, api[4]!, new URL(request.url!, this.endpoint), response);
    else if (content === undefined) refuse(response, 404, "EntryNotFound");
    else this.#resolve(repository, file![4]!, bytesOf(content), response, asked);
  }

  #revision(repository: Repository, revision: string, response: ServerResponse): void {
    const commit = commitOf(repository);
    if (revision !== commit && !["main", ...(repository.tags ?? [])].includes(revision)) refuse(response, 404, "RevisionNotFound");
    else
      json(response, {
        _id: "1",
        id: repository.name,
        sha: commit,
        private: false,
        gated: false,
        lastModified: "2026-01-01T00:00:00.000Z",
      });
  }

  #tree(repository: Repository, revision: string, url: URL, response: ServerResponse): void {
    if (revision !== commitOf(repository)) {
      refuse(response, 404, "RevisionNotFound");
      return;
    }
    const recursive = url.searchParams.get("recursive") === "true";
    const all = Object.entries(repository.files)
      .filter(([path]) => recursive || !path.includes("/"))
      .map(([path, content]) => entryOf(repository, path, bytesOf(content)));
    const from = Number(url.searchParams.get("cursor") ?? 0);
    if (from + this.pageSize < all.length) {
      url.searchParams.set("cursor", String(from + this.pageSize));
      response.setHeader("link", `<${url.href}>; rel="next"`);
    }
    json(response, this.entries(all.slice(from, from + this.pageSize)));
  }

  #resolve(repository: Repository, path: string, content: Uint8Array, response: ServerResponse, { range }: Asked): void {
    response.setHeader("x-repo-commit", commitOf(repository));
    if (!repository.large?.test(path)) {
      response.setHeader("etag", `"${gitHash(content)}"`);
      send(response, content, range);
      return;
    }
    const hash = sha256(content);
    response.writeHead(302, {
      "x-linked-etag": `"${hash}"`,
      "x-linked-size": content.length,
      location: `${addressOf(this.store)}/${hash}`,
    });
    response.end();
  }

  #atStore(request: IncomingMessage, response: ServerResponse): void {
    const asked = this.#note(request, "store");
    const content = this.#contents.get(asked.path.slice(1));
    if (this.fault(asked, response, content)) return;
    if (content) send(response, content, asked.range);
    else response.writeHead(404).end();
  }
}

/** Sends a content, or the range of it that is asked for. */
function send(response: ServerResponse, content: Uint8Array, range: string | undefined): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (from > 0 && from >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  const headers = { "content-length": content.length - from, "accept-ranges": "bytes" };
  if (range === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
  response.end(content.subarray(from));
}

/** Sends so many bytes of what is asked for, and breaks the connection. */
export function cut(response: ServerResponse, content: Uint8Array, range: string | undefined, bytes: number): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const headers = { "content-length": content.length - from };
  if (range === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${content.length - 1}/${content.length}` });
  response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 20));
}

export function refuse(response: ServerResponse, status: number, code?: string, headers: Record<string, string | number> = {}): void {
  response.writeHead(status, { ...(code === undefined ? {} : { "x-error-code": code }), ...headers }).end();
}

/** The hash git gives a content. */
export const gitHash = (content: Uint8Array): string => createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
export const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === "string" ? Buffer.from(content) : content);
const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function commitOf({ files }: Repository): string {
  const hash = createHash("sha1");
  for (const [path, content] of Object.entries(files)) hash.update(path).update(content);
  return hash.digest("hex");
}

function entryOf({ large }: Repository, path: string, content: Uint8Array): Record<string, unknown> {
  const entry = { type: "file", path, size: content.length, oid: gitHash(content) };
  return large?.test(path) ? { ...entry, lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } } : entry;
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}
