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
