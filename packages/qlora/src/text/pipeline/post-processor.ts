// The ids a tokenizer.json puts before and behind a text. Pairs of texts are not read: nothing here encodes two at once.
import { FormatError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../../formats/quoted.ts";
import type { StepReader } from "./step.ts";

/** What stands around a text. */
export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const NOTHING: Surroundings = { before: [], after: [] };

const id = z.int().check(z.nonnegative());
const part = z.union([
  z.object({ SpecialToken: z.looseObject({ id: z.string() }) }),
  z.object({ Sequence: z.looseObject({ id: z.string() }) }),
]);
const template = z.looseObject({ single: z.array(part), special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })) });
const pair = z.tuple([z.string(), id]);
const bert = z.looseObject({ cls: pair, sep: pair });

/**
 * @throws FormatError if a field is not what it should be
 * @throws UnsupportedError for a type that is not known here, and for templates that do not show the text once
 */
export function readSurroundings(step: StepReader): Surroundings {
  switch (step.type) {
    case "Sequence":
      return step
        .steps("processors")
        .map(readSurroundings)
        .reduce((inner, outer) => ({ before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] }), NOTHING);
    case "ByteLevel":
      return NOTHING;
    case "TemplateProcessing":
      return aroundTemplate(step);
    case "BertProcessing":
    case "RobertaProcessing": {
      const { cls, sep } = step.read(bert);
      return { before: [cls[1]], after: [sep[1]] };
    }
    default:
      throw step.unsupported();
  }
}

function aroundTemplate(step: StepReader): Surroundings {
  const { single, special_tokens } = step.read(template);
  const tokens = new Map(Object.entries(special_tokens));
  const at = single.findIndex((item) => "Sequence" in item);
  if (at < 0 || single.some((item, i) => i !== at && "Sequence" in item)) throw step.unsupported("without exactly one place for the text");
  const idsOf = (items: typeof single) =>
    items.flatMap((item) => {
      if (!("SpecialToken" in item)) return [];
      const name = item.SpecialToken.id;
      const token = tokens.get(name);
      if (!token) throw new FormatError(step.file, `the post-processor writes ${quoted(name)}, which its special_tokens do not have.`);
      return token.ids;
    });
  return { before: idsOf(single.slice(0, at)), after: idsOf(single.slice(at + 1)) };
}
