// Errors of this package beyond core's family. A UsageError is about what the user gave (a file, a row, an option): the command prints its message alone
// and leaves with exit code 2. Every message reads `where: what is wrong, with the values. What to do.`

/** Something the user gave cannot be used as it is: an option, a data row, a folder that does not fit the model. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
  /**
   * @param where What the message is about, as the user knows it: an option, `train.jsonl line 3`, a folder.
   * @param what What is wrong, with the values, and what to do.
   * @param fields The same values for programs: `{ line: 3, keys: ["promt"] }`.
   */
  constructor(
    readonly where: string,
    what: string,
    readonly fields: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(`${where}: ${what}`, options);
  }
}

/** An adapter made for another base model; names the first module that does not fit. */
export class AdapterMismatchError extends UsageError {
  override readonly name = "AdapterMismatchError";
  /**
   * @param expected Shape the base model asks for; undefined where it has no such module.
   * @param found Shape in the adapter; undefined where it has no such tensor.
   */
  constructor(
    adapter: string,
    readonly module: string,
    readonly expected: readonly number[] | undefined,
    readonly found: readonly number[] | undefined,
    what: string,
  ) {
    super(adapter, what, { module, expected, found });
  }
}

/** A run folder that another process is writing to. */
export class RunInUseError extends UsageError {
  override readonly name = "RunInUseError";
  /** @param host The machine that process is on. */
  constructor(
    run: string,
    readonly pid: number,
    readonly host: string,
    what: string,
  ) {
    super(run, what, { pid, host });
  }
}

/**
 * What is wrong with a hub, or with what was asked of it:
 * `absent` (there is no such repository or file, or it may not be seen), `revision` (not that one), `unauthorized` (the token is refused, or may not),
 * `gated` (its terms are not accepted yet), `offline` (not in the cache), `limited` (too many requests), `server` (it has a fault), `unreachable` (no
 * connection, or one that breaks again and again), `answer` (what it says is no hub's answer, or is not safe), `damaged` (a file is not what its hash says),
 * `space` (the disk has no room).
 */
export type HubProblem =
  | "absent"
  | "revision"
  | "unauthorized"
  | "gated"
  | "offline"
  | "limited"
  | "server"
  | "unreachable"
  | "answer"
  | "damaged"
  | "space";

/** A model or data set that could not be had from a hub. The command leaves with 2 where it is the user's to mend, with 1 where it is not. */
export class HubError extends Error {
  override readonly name = "HubError";
  /** @param where The repository, as `org/name`. */
  constructor(
    readonly where: string,
    readonly problem: HubProblem,
    what: string,
    readonly fields: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(`${where}: ${what}`, options);
  }
}

/** A model that yields NaN where it should predict a token: its weights or its adapter are broken. The command exits with 1. */
export class NotFiniteError extends Error {
  override readonly name = "NotFiniteError";
  /** @param position Of the token that could not be chosen. */
  constructor(readonly position: number) {
    super(
      `token ${position}: the model predicts NaN. Its weights or its adapter hold numbers that are not finite; try another step or model.`,
    );
  }
}

/** A file or folder that could not be written; nothing that stood there before has changed. The command exits with 1. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  /** @param code The system's code, such as ENOSPC; empty where it gave none. */
  constructor(
    readonly path: string,
    readonly code: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${what}`, options);
  }
}
