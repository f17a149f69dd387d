// What `org/name` means: a repository on a hub, perhaps a file or folder in it, perhaps a revision: `org/name/data/train.jsonl@v1.0`. Names alone; whether
// there is such a repository only a hub knows, and whether it is a path of this machine is asked before.

/** What `org/name` means: a repository, perhaps a path in it, perhaps a revision. */
export interface HubName {
  /** `org/name` */
  readonly repository: string;
  /** A file or a folder in it. */
  readonly path: string | undefined;
  /** A branch, a tag, or a commit. */
  readonly revision: string | undefined;
}

const FORM = /^([\w][\w.-]*\/[\w][\w.-]*)((?:\/[^/@\\]+)*)(?:@(.+))?$/;
/** Of organisation and name each, as Python's client has it. */
const LONGEST_PART = 96;
const LONGEST_REVISION = 200;

/** What a text names on a hub; undefined if it cannot be a name there. */
export function parseHubName(text: string): HubName | undefined {
  const [, repository, path = "", revision] = FORM.exec(text) ?? [];
  if (repository === undefined || !isRepository(repository)) return undefined;
  const inside = path.slice(1);
  if (inside !== "" && !isSafePath(inside)) return undefined;
  if (revision !== undefined && !isRevision(revision)) return undefined;
  return { repository, path: inside === "" ? undefined : inside, revision };
}

/** The name as it is typed. */
export const hubNameText = ({ repository, path, revision }: HubName): string =>
  `${repository}${path === undefined ? "" : `/${path}`}${revision === undefined ? "" : `@${revision}`}`;

function isRepository(repository: string): boolean {
  if (/--|\.\./.test(repository) || repository.endsWith(".git")) return false;
  return repository.split("/").every((part) => part.length <= LONGEST_PART && !/[-.]$/.test(part));
}

/** Whether a text can be a branch, a tag or a commit; it becomes part of an address and of a file's name. */
export const isRevision = (text: string): boolean =>
  text.length <= LONGEST_REVISION && /^\w[\w.+-]*(?:\/\w[\w.+-]*)*$/.test(text) && !text.includes("..");

/** Whether a path of a repository stays in the folder it is put in, on every system: no `..`, no drive, no root, no backslash. */
export const isSafePath = (path: string): boolean =>
  path.length <= 1024 &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0]/.test(part) && !/^[a-z]:/i.test(part));
