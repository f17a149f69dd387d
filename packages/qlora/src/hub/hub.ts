// A hub to download from, and the folder its files are kept in: what Python's client reads from the environment, read the same. Node only.
import { readFile, statfs } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UsageError } from "../error.ts";

/** A token and where it was found. It is a function's secret, so that nothing that prints an object prints it. */
export interface HubToken {
  readonly from: string;
  /** The token itself. */
  readonly read: () => string;
}

/** A hub to download from, and the folder its files are kept in. */
export interface Hub {
  /** `https://huggingface.co`, without a slash at its end. */
  readonly endpoint: string;
  /** The folder of all repositories. */
  readonly cache: string;
  readonly token: HubToken | undefined;
  /** Only what is in the cache. */
  readonly offline: boolean;
  /** Whether snapshots are made of symbolic links; else of hard links or copies. */
  readonly symlinks: boolean;
  /** A connection that says nothing for so long is given up. */
  readonly stallMs: number;
  /** Resolves after so many milliseconds; a test need not wait. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** Bytes of a folder's disk that may still be written. */
  readonly freeBytes: (folder: string) => Promise<number>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const ENDPOINT = "https://huggingface.co";
const STALL_MS = 60_000;

/**
 * The hub of an environment: `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE` and the rest as Python's client has them.
 * @param options.offline also where the environment does not say so
 * @throws UsageError if `HF_ENDPOINT` is no address, or the token no token
 */
export async function openHub({
  environment = process.env,
  offline = false,
}: {
  environment?: Environment;
  offline?: boolean | undefined;
} = {}): Promise<Hub> {
  const home = expanded(environment.HF_HOME) ?? join(expanded(environment.XDG_CACHE_HOME) ?? join(homedir(), ".cache"), "huggingface");
  const cache = expanded(environment.HF_HUB_CACHE) ?? expanded(environment.HUGGINGFACE_HUB_CACHE) ?? join(home, "hub");
  return {
    endpoint: endpointOf(environment.HF_ENDPOINT || ENDPOINT),
    cache: resolve(cache),
    token: isOn(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN) ? undefined : await findToken(environment, home),
    offline: offline || isOn(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE),
    symlinks: !isOn(environment.HF_HUB_DISABLE_SYMLINKS),
    stallMs: STALL_MS,
    wait: (ms, signal) => wait(ms, undefined, signal && { signal }),
    freeBytes: async (folder) => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? "");

/** A path of the environment; `~` is the user's home. */
const expanded = (path: string | undefined): string | undefined => (path ? path.replace(/^~(?=\/|\\|$)/, homedir()) : undefined);

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return text.replace(/\/+$/, "");
  throw new UsageError("HF_ENDPOINT", `is ${JSON.stringify(text)}. Give the address of a hub, such as ${ENDPOINT}.`, { endpoint: text });
}

async function findToken(environment: Environment, home: string): Promise<HubToken | undefined> {
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
    const token = tokenOf(environment[name], name);
    if (token) return token;
  }
  const path = expanded(environment.HF_TOKEN_PATH) ?? join(home, "token");
  return tokenOf(await readFile(path, "utf8").catch(() => undefined), path);
}

function tokenOf(text: string | undefined, from: string): HubToken | undefined {
  const token = text?.trim() ?? "";
  if (token === "") return undefined;
  if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    throw new UsageError(from, "holds something that cannot be a token. Put one there, or nothing.");
  return { from, read: () => token };
}
