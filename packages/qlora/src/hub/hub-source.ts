// Which repository, and where the cache keeps it: the layout of Python's huggingface_hub, so that each finds what the other has downloaded.
//   models--org--name/blobs/<sha256, or git's sha1>   contents, by their hash
//   models--org--name/refs/<revision>                 the commit a branch or tag was at
//   models--org--name/snapshots/<commit>/<path>       links to the contents
// Source: huggingface_hub 2.4, file_download.py.
import { join } from "node:path";
import type { Hub } from "./hub.ts";

export interface HubSource {
  readonly kind: "model" | "dataset";
  /** `org/name` */
  readonly repository: string;
  /** A branch, a tag, or a commit. */
  readonly revision: string;
}

/** What is taken where nothing is said. */
export const MAIN = "main";

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** For messages: `model` or `data set`. */
export const kindWords = ({ kind }: HubSource): string => (kind === "model" ? "model" : "data set");

/** `org/name`, and the revision where it is not the usual one. */
export const sourceWords = ({ repository, revision }: HubSource): string =>
  revision === MAIN ? repository : `${repository}@${isCommit(revision) ? revision.slice(0, 12) : revision}`;

/** Where people see it: a page of the hub. */
export const pageOf = (hub: Hub, { kind, repository }: HubSource): string =>
  `${hub.endpoint}/${kind === "model" ? "" : "datasets/"}${repository}`;

/** A repository's places in the cache. */
export function cachePlaces(hub: Hub, { kind, repository, revision }: HubSource) {
  const folder = `${kind}s--${repository.replace("/", "--")}`;
  const root = join(hub.cache, folder);
  return {
    root,
    ref: join(root, "refs", ...revision.split("/")),
    blob: (id: string) => join(root, "blobs", id),
    lock: (id: string) => join(hub.cache, ".locks", folder, `${id}.qlora.lock`),
    snapshot: (commit: string) => join(root, "snapshots", commit),
  };
}

/** The model that a snapshot's folder, or a file in it, is of, as `org/name` and its commit; undefined for any other path. */
export function modelOfSnapshot(path: string): { readonly repository: string; readonly commit: string } | undefined {
  const [, org, name, commit] = /(?:^|[\\/])models--([\w.-]+?)--([\w.-]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)/.exec(path) ?? [];
  return org === undefined ? undefined : { repository: `${org}/${name}`, commit: commit! };
}
