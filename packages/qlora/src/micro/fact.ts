// One thing that is true in the micro model's closed world, and how it is asked for. The tables of `world/` hold the words, this file the shape and
// the small grammar all of them share (articles, capitals, templates). Nothing here is random.

/** A number below `n`: 0 ≤ result < n, an integer. Randomness is an argument everywhere in the grammar. */
export type Below = (n: number) => number;

/** A true statement of the closed world. */
export interface Fact {
  /** The kind of knowledge, e.g. "colours"; facts of one topic are worded alike. */
  readonly topic: string;
  /** What is true, without a capital and a full stop: "the sky is blue". */
  readonly statement: string;
  /** Phrasings that the statement answers. Never empty. */
  readonly questions: readonly string[];
  /** Questions answered by "Yes, …". */
  readonly yes: readonly string[];
  /** Questions answered by "No, …". */
  readonly no: readonly string[];
}

/** Replaces each `{key}` of a template by its value. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** "a dog", "an owl": the article goes by the first letter, which is enough for the words used here. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** The first letter large. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The statement as a sentence. */
export function sentence(statement: string): string {
  return `${capital(statement)}.`;
}

/** What a fact is made from: the templates of its topic and the words that go into them. */
export interface FactPattern {
  readonly topic: string;
  readonly statement: string;
  readonly questions: readonly string[];
  /** Template of a yes-or-no question with `{value}` for what may be right or wrong. */
  readonly check?: string;
}

/** One fact for one row of words; `value` is the right answer, `others` the wrong ones that a yes-or-no question may name. */
export function fact(pattern: FactPattern, words: Readonly<Record<string, string>>, value = "", others: readonly string[] = []): Fact {
  const full = { ...words, value };
  const check = pattern.check;
  return {
    topic: pattern.topic,
    statement: fill(pattern.statement, full),
    questions: pattern.questions.map((question) => capital(fill(question, full))),
    yes: check === undefined ? [] : [capital(fill(check, full))],
    no:
      check === undefined ? [] : others.filter((other) => other !== value).map((other) => capital(fill(check, { ...words, value: other }))),
  };
}
