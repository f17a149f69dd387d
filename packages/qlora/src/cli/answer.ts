// One answer of a model: its ids as they are chosen, their text as it becomes whole, and how fast it went.
import { type GenerateOptions, generate } from "../generate/generate.ts";
import type { LanguageModel } from "../models/language-model.ts";
import { StreamDecoder } from "../text/stream-decoder.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { nextTurn } from "./next-turn.ts";

export interface Answer {
  /** Without special tokens; the ids themselves where there is no tokenizer. */
  readonly text: string;
  /** All chosen ids, the stop token included. */
  readonly ids: readonly number[];
  /** Of the tokens after the first; that one waits for the whole prompt. */
  readonly tokensPerSecond: number;
  /** Until the first token was chosen. */
  readonly promptSeconds: number;
}

export interface AnswerOptions extends GenerateOptions {
  readonly tokenizer: Tokenizer | undefined;
  /** Called with each piece of text. */
  readonly onText?: (piece: string) => void;
  /** Asked before each token; true ends the answer. */
  readonly stopped?: () => boolean;
}

/** Continues a prompt to its end. @throws UsageError as `generate` */
export async function answer(model: LanguageModel, prompt: readonly number[], options: AnswerOptions): Promise<Answer> {
  const { tokenizer, onText, stopped } = options;
  const stream = tokenizer && new StreamDecoder(tokenizer);
  const ids: number[] = [];
  let text = "";
  const say = (piece: string): void => {
    text += piece;
    if (piece !== "") onText?.(piece);
  };
  const start = performance.now();
  let first = start;
  for await (const id of generate(model, prompt, options)) {
    if (ids.length === 0) first = performance.now();
    ids.push(id);
    say(stream ? stream.push(id) : `${ids.length > 1 ? " " : ""}${id}`);
    await nextTurn();
    if (stopped?.()) break;
  }
  const end = performance.now();
  say(stream?.flush() ?? "");
  const tokensPerSecond = ids.length > 1 ? ((ids.length - 1) * 1000) / (end - first) : (ids.length * 1000) / (end - start);
  return { text, ids, tokensPerSecond, promptSeconds: (first - start) / 1000 };
}
