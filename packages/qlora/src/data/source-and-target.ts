// A row for a model with an encoder: the encoder reads the question, the decoder learns the answer. The decoder's ids begin with its start token, so that each label
// is predicted from the position before it, as in every other model.
import { UsageError } from "../error.ts";
import { endOnce } from "../text/end-once.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { instructionTurn } from "./alpaca.ts";
import { NOT_SUPERVISED, type PlacedRow } from "./rows.ts";
import type { Sequence } from "./sequence.ts";

/**
 * The ids and labels of a row of a question and an answer; rows of ids are a source (`input_ids`) and a target (`labels`).
 * @throws UsageError naming the row, if it is no question with one answer, or the folder lacks a tokenizer
 */
export function sourceAndTarget({ row, file, line }: PlacedRow, tokenizer: Tokenizer | undefined, startId: number): Sequence {
  const where = `${file} line ${line}`;
  if (row.kind === "tokens") {
    const target = row.labels.map((id) => Math.max(0, id)); // what is not learnt is not seen either: transformers puts the pad token, 0, there
    return { source: row.inputIds, ids: [startId, ...target], labels: [NOT_SUPERVISED, ...row.labels] };
  }
  if (!tokenizer)
    throw new UsageError(where, "is text, and the model folder has no tokenizer. Add it, or give rows of input_ids + labels.", {
      file,
      line,
    });
  const [question, answer] = questionAndAnswer(row, where);
  const target = endOnce(tokenizer.encode(answer), tokenizer);
  return { source: endOnce(tokenizer.encode(question), tokenizer), ids: [startId, ...target], labels: [NOT_SUPERVISED, ...target] };
}

function questionAndAnswer(row: Exclude<PlacedRow["row"], { kind: "tokens" }>, where: string): readonly [string, string] {
  switch (row.kind) {
    case "completion":
      return [row.prompt, row.completion];
    case "instruction":
      return [instructionTurn(row.instruction, row.input), row.output];
    case "messages": {
      const answers = row.messages.filter(({ role }) => role === "assistant");
      const last = row.messages.at(-1);
      if (answers.length !== 1 || last?.role !== "assistant")
        throw new UsageError(
          where,
          "is a conversation of several turns, and the model has an encoder that reads one question. Give prompt + completion.",
        );
      const questions = row.messages.slice(0, -1).map(({ content }) => content);
      return [questions.join("\n"), last.content];
    }
    case "text":
      throw new UsageError(where, "is a text, and the model has an encoder that reads a question. Give prompt + completion.");
  }
}
