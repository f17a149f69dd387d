// A folder for one test file: a tiny model with a tokenizer, one without, and data for both. Removed afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { writeTinyModel } from "./tiny-model.ts";

export interface Fixtures {
  /** The folder all is in. */
  readonly folder: string;
  readonly model: string;
  /** The same model without a tokenizer. */
  readonly bare: string;
  /** A folder with train.jsonl (10 rows) and valid.jsonl (4 rows) of conversations. */
  readonly data: string;
  /** A file of ids. */
  readonly ids: string;
}

/** Makes them before the tests of a file, removes them after. */
export function useFixtures(): () => Fixtures {
  let made: Fixtures | undefined;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "qlora-e2e-"));
    const paths = {
      folder,
      model: join(folder, "model"),
      bare: join(folder, "bare"),
      data: join(folder, "data"),
      ids: join(folder, "ids.jsonl"),
    };
    await writeTinyModel(paths.model);
    await writeTinyModel(paths.bare, { tokenizer: false });
    mkdirSync(paths.data);
    writeRows(join(paths.data, "train.jsonl"), 10, (i) => conversation(`What is ${i} and ${i}?`, `Arr, ${i} and ${i} be ${2 * i}, matey!`));
    writeRows(join(paths.data, "valid.jsonl"), 4, (i) => conversation(`What is ${i} and 1?`, `Arr, ${i} and 1 be ${i + 1}, matey!`));
    writeRows(paths.ids, 6, (i) => ({ input_ids: [1, 5 + i, 6, 7 + i, 2], labels: [-100, -100, 6, 7 + i, 2] }));
    made = paths;
  });
  afterAll(() => rmSync(made!.folder, { recursive: true, force: true }));
  return () => made!;
}

/** Writes rows made from their numbers, one a line. */
function writeRows(path: string, count: number, row: (i: number) => object): void {
  writeFileSync(path, Array.from({ length: count }, (_, i) => `${JSON.stringify(row(i))}\n`).join(""));
}

const conversation = (question: string, answer: string): object => ({
  messages: [
    { role: "user", content: question },
    { role: "assistant", content: answer },
  ],
});
