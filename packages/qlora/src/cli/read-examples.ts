// A data file as a model will see it: rows read, tokenized, counted.
import { type DataFile, readDataFile } from "../data/read-file.ts";
import { type DataStatistics, dataStatistics } from "../data/statistics.ts";
import { type Example, tokenizeRows } from "../data/tokenize.ts";
import { type HubAccess, localData } from "./from-hub.ts";
import type { ModelFolder } from "./open-model.ts";

export interface DataExamples {
  readonly file: DataFile;
  readonly examples: readonly Example[];
  readonly statistics: DataStatistics;
}

/**
 * Reads and tokenizes a split's files for a model.
 * @throws UsageError as `readDataFile` and `tokenizeRows`
 */
export async function readExamples(
  paths: readonly string[],
  { config, tokenizer, template }: ModelFolder,
  maxLength?: number,
): Promise<DataExamples> {
  const file = await readDataFile(paths);
  const { vocabSize: vocabularySize, maxPositions } = config;
  const decoderStartId = config.kind === "t5" ? config.decoderStartTokenId : undefined;
  const tokenized = tokenizeRows(file.rows, { tokenizer, template, vocabularySize, maxPositions, maxLength, decoderStartId });
  return { file, examples: tokenized.examples, statistics: dataStatistics(tokenized, file.kind) };
}

/** The files of DATA to evaluate on: valid.jsonl where a folder has it, else train.jsonl, or the file itself. */
export async function splitToEvaluate(data: string, hub: Omit<HubAccess, "revision">): Promise<readonly string[]> {
  const { train, valid } = await localData(data, hub);
  return valid ?? train;
}
