import type { DecoderConfig } from "../config/decoder-config.ts";
import type { T5Config } from "../config/t5-config.ts";

/** A family of models: how its config.json is read into what the model's code asks. */
export interface Family {
  /** Values of `model_type`. */
  readonly modelTypes: readonly string[];
  /** Who they are, for people. */
  readonly known: string;
  /**
   * @param file name for errors
   * @throws UsageError for settings that are not done here, FormatError if a value is missing or cannot be
   */
  read(file: string, json: unknown): DecoderConfig | T5Config;
}
