// The parts of a tokenizer.json: each is an object with a type, and some are sequences of others. Here is how one is opened and checked; what it does is
// with its kind (normalizer, pre-tokenizer, decoder, post-processor).
import { FormatError, UnsupportedError } from "@qlora-js/core";
import * as z from "zod/mini";
import { quoted } from "../../formats/quoted.ts";
import { checkJson } from "../../formats/read-json.ts";
import type { ExpressionReader } from "./text-pattern.ts";

/** A part as it stands in the file. */
export type Step = Readonly<Record<string, unknown>>;

/** Sequences stand in sequences in no known file; this deep they are read. */
const DEEPEST = 8;
/** The longest known has ten. */
const MOST_STEPS = 250;
/** A text may grow by this much; the longest that Unicode's own forms make of one character has 18. */
const MOST_GROWTH = 32;

/** A part of a tokenizer.json together with what errors have to name. */
export class StepReader {
  constructor(
    /** The file. */
    readonly file: string,
    /** What it is a part of, as messages say it: "normalizer", "decoder", … */
    readonly kind: string,
    readonly step: Step,
    /** Reads expressions that are not known, where there may be some. */
    readonly unknownPattern?: ExpressionReader,
    readonly depth = 0,
  ) {}

  /** The type's name. */
  get type(): unknown {
    return this.step.type;
  }

  /** @throws FormatError naming the field that does not fit */
  read<T>(schema: z.ZodMiniType<T>): T {
    return checkJson(this.file, schema, this.step);
  }

  /**
   * The steps of a sequence.
   * @throws FormatError if `key` holds no list of steps, or sequences are nested too deep
   */
  steps(key: string): readonly StepReader[] {
    if (this.depth >= DEEPEST) throw this.unsupported(`nested more than ${DEEPEST} deep`);
    const list = this.read(z.looseObject({ [key]: z.array(z.looseObject({})).check(z.maxLength(MOST_STEPS)) }))[key] as readonly Step[];
    return list.map((step) => new StepReader(this.file, this.kind, step, this.unknownPattern, this.depth + 1));
  }

  /**
   * Pieces that a step of a sequence made of a text. Many steps that each double it, in a hostile file, would fill the memory.
   * @throws FormatError if they are much longer
   */
  bounded(pieces: readonly string[], before: readonly string[]): readonly string[] {
    const [now, then] = [pieces, before].map((all) => all.reduce((n, { length }) => n + length, 0)) as [number, number];
    if (now <= 1024 + MOST_GROWTH * then) return pieces;
    throw new FormatError(this.file, `the ${this.kind} makes ${now} characters of ${then}.`);
  }

  /** The error for what we do not do. */
  unsupported(what = ""): UnsupportedError {
    const name = `the ${this.kind} ${quoted(this.type)}`;
    return new UnsupportedError(
      `${this.file}: ${name}${what && ` ${what}`} is not read. Give rows of input_ids + labels, made with the model's own tokenizer.`,
    );
  }
}
