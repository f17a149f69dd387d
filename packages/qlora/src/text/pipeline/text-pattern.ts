// What the patterns of a tokenizer.json become, however they are matched.

/** What is looked for in texts. */
export interface TextPattern {
  /** Where it stands, from the left, none over another. */
  matches(text: string): Iterable<Match>;
}

/** The text of a match, and where it begins. */
export interface Match {
  readonly index: number;
  readonly 0: string;
}

/** Makes what matches what an expression in Oniguruma's words does. @param tooLong what to throw where a text takes too long */
export type ExpressionReader = (source: string, tooLong: (characters: number) => Error) => TextPattern;
