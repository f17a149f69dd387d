// One request to a hub: redirects are followed here, so that the token goes to the hub alone and not where it sends us, and a silent connection is given up.
import { HubError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import type { Hub } from "./hub.ts";
import { hubRefusal } from "./hub-refusal.ts";
import { type HubSource, sourceWords } from "./hub-source.ts";

export interface HubRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The file it asks for, for messages. */
  readonly file?: string;
  readonly signal?: AbortSignal | undefined;
  /** Looks at what the hub itself answers, before it sends us elsewhere. */
  readonly onAnswer?: (headers: Headers) => void;
}

/** An answer whose body is read with `chunks`. */
export interface HubAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body; ends with an error if nothing comes for `stallMs`. */
  chunks(): AsyncGenerator<Uint8Array>;
}

const MOST_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks once.
 * @throws HubError for every answer but 200, 206 and 416, for a connection that fails, and for redirects that lead nowhere
 */
export async function hubRequest(hub: Hub, source: HubSource, request: HubRequest): Promise<HubAnswer> {
  const watch = new Watch(hub.stallMs, request.signal);
  try {
    const response = await followed(hub, source, request, watch);
    const { status, headers } = response;
    if (status === 416) {
      watch.abandon();
      return { status, headers, chunks: async function* () {} };
    }
    if (status !== 200 && status !== 206) {
      throw hubRefusal(hub, source, response, request.file);
    }
    return { status, headers, chunks: () => chunksOf(hub, source, response, watch) };
  } catch (error) {
    watch.abandon();
    throw error;
  }
}

async function followed(hub: Hub, source: HubSource, request: HubRequest, watch: Watch): Promise<Response> {
  const home = new URL(hub.endpoint).origin;
  let at = new URL(request.url);
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const atHome = at.origin === home;
    const response = await connect(hub, source, at, { ...request.headers, ...(atHome ? authorization(hub) : {}) }, watch);
    if (atHome) request.onAnswer?.(response.headers);
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    at = nextAddress(source, at, location);
  }
  const what = `is sent from one address to the next (${MOST_REDIRECTS} redirects). Check HF_ENDPOINT, or what stands between here and the hub.`;
  throw new HubError(sourceWords(source), "answer", what, { url: request.url });
}

const authorization = ({ token }: Hub): Record<string, string> => (token ? { authorization: `Bearer ${token.read()}` } : {});

async function connect(hub: Hub, source: HubSource, url: URL, headers: Record<string, string>, watch: Watch): Promise<Response> {
  try {
    // what is compressed on its way has another length than what is asked for by range
    const all = { "user-agent": "qlora-js", "accept-encoding": "identity", ...headers };
    return await fetch(url, { headers: all, redirect: "manual", signal: watch.signal });
  } catch (cause) {
    throw unreachable(hub, source, url.host, cause, watch);
  }
}

function nextAddress(source: HubSource, from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const safe = next?.protocol === "https:" || (next?.protocol === "http:" && from.protocol === "http:");
  if (next && safe) return next;
  throw new HubError(sourceWords(source), "answer", `is sent to ${quoted(location)}, which is not followed from ${from.origin}.`, {
    location,
  });
}

async function* chunksOf(hub: Hub, source: HubSource, response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  const body = response.body?.getReader();
  try {
    for (;;) {
      watch.touch();
      const { done, value } = await readFrom(body);
      if (done) return;
      yield value;
    }
  } finally {
    watch.end();
    await body?.cancel().catch(() => {});
  }

  async function readFrom(from: typeof body): Promise<{ done: true; value?: never } | { done: false; value: Uint8Array }> {
    if (!from) return { done: true };
    try {
      const { done, value } = await from.read();
      return done ? { done } : { done, value };
    } catch (cause) {
      throw unreachable(hub, source, new URL(response.url || hub.endpoint).host, cause, watch);
    }
  }
}

/** Also where someone else gave it up: then that is the reason. */
function unreachable(hub: Hub, source: HubSource, host: string, cause: unknown, watch: Watch): unknown {
  if (watch.stopped) return watch.stopped;
  const { code, message } = ((cause as Error).cause ?? cause) as { code?: string; message?: string };
  const why = watch.silent ? `silent for ${Math.round(hub.stallMs / 1000)} s` : (code ?? message ?? "no reason given");
  const what = `${host} cannot be reached (${why}). Check the connection; what has come is kept. --offline takes what is in the cache.`;
  return new HubError(sourceWords(source), "unreachable", what, { host, code: code ?? null }, { cause });
}

/** Ends a request that is silent, or that another has ended. */
class Watch {
  readonly #controller = new AbortController();
  readonly #stop: () => void;
  #timer: NodeJS.Timeout;
  #silent = false;

  constructor(
    readonly stallMs: number,
    readonly outer: AbortSignal | undefined,
  ) {
    this.#timer = this.#start();
    this.#stop = () => this.#controller.abort(outer?.reason);
    if (outer?.aborted) this.#stop();
    else outer?.addEventListener("abort", this.#stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Why another has ended it. */
  get stopped(): unknown {
    return this.outer?.aborted ? this.outer.reason : undefined;
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.outer?.removeEventListener("abort", this.#stop);
  }

  /** Ends it, and the connection with it. */
  abandon(): void {
    this.end();
    this.#controller.abort();
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#silent = true;
      this.#controller.abort();
    }, this.stallMs);
  }
}
