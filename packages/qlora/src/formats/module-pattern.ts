// The regular expressions of adapter configs, which name modules. Adapters come from strangers, and JavaScript's own matcher takes exponential
// time on some patterns and cannot be stopped; this one counts its steps and gives up. Python's syntax, without look-behind, back-references,
// flags and possessive repeats: those are refused by name.
import { FormatError } from "@qlora-js/core";
import { type Node, parsePattern } from "./module-pattern-syntax.ts";
import { quoted } from "./quoted.ts";

/** Steps that all matches of one adapter may take together: a second or two. */
const MAX_STEPS = 10_000_000;

/** Matches patterns, with one budget of steps for all of them. */
export class PatternMatcher {
  private steps = 0;
  private readonly parsed = new Map<string, Node>();

  /** @param file name for errors */
  constructor(private readonly file: string) {}

  /**
   * Whether the whole of `text` matches, as Python's `re.fullmatch`.
   * @throws FormatError if the pattern is not one, uses what is not supported, or takes too long
   */
  fullMatch(pattern: string, text: string): boolean {
    return this.guarded(pattern, () => this.match(this.nodeOf(pattern), text, 0, (at) => at === text.length));
  }

  /** Whether the whole name matches, or what follows one of its dots: how PEFT reads the keys of rank_pattern and alpha_pattern. */
  matchesEnd(pattern: string, name: string): boolean {
    const node = this.nodeOf(pattern);
    if (isPlain(node)) return endsPlainly(node.parts, name);
    const starts = [0, ...[...name.matchAll(/\./g)].map((dot) => dot.index + 1)];
    const end = (at: number) => at === name.length;
    return this.guarded(pattern, () => starts.some((start) => this.match(node, name, start, end)));
  }

  private nodeOf(pattern: string): Node {
    const known = this.parsed.get(pattern);
    if (known) return known;
    const node = parsePattern(this.file, pattern);
    this.parsed.set(pattern, node);
    return node;
  }

  private guarded(pattern: string, work: () => boolean): boolean {
    try {
      return work();
    } catch (error) {
      // Deep repeats may use up the stack before the steps.
      if (!(error instanceof RangeError)) throw error;
      throw new FormatError(this.file, `the pattern ${quoted(pattern)} takes too long to match. Name the modules in a list instead.`, {
        cause: error,
      });
    }
  }

  /** Whether `node` matches at `at` and `then` holds where it ends; tries the ways to match one after the other. */
  private match(node: Node, text: string, at: number, then: (end: number) => boolean): boolean {
    if (++this.steps > MAX_STEPS) throw new RangeError("out of steps");
    switch (node.kind) {
      case "set":
        return at < text.length && node.has(text[at]!) && then(at + 1);
      case "start":
        return at === 0 && then(at);
      case "end":
        return at === text.length && then(at);
      case "boundary":
        return isWord(text[at - 1]) !== isWord(text[at]) && then(at);
      case "sequence":
        return this.matchFrom(node.parts, 0, text, at, then);
      case "choice":
        return node.options.some((option) => this.match(option, text, at, then));
      case "look":
        return this.match(node.body, text, at, () => true) !== node.negative && then(at);
      case "repeat":
        return this.matchRepeat(node, 0, text, at, then);
    }
  }

  private matchFrom(parts: readonly Node[], part: number, text: string, at: number, then: (end: number) => boolean): boolean {
    if (part === parts.length) return then(at);
    return this.match(parts[part]!, text, at, (end) => this.matchFrom(parts, part + 1, text, end, then));
  }

  private matchRepeat(node: Node & { kind: "repeat" }, count: number, text: string, at: number, then: (end: number) => boolean): boolean {
    const again = () =>
      count < node.max &&
      // A round that consumed nothing can be had any number of times, so it fills up what is missing.
      this.match(node.body, text, at, (end) => (end === at ? then(at) : this.matchRepeat(node, count + 1, text, end, then)));
    if (count < node.min) return again();
    return node.lazy ? then(at) || again() : again() || then(at);
  }
}

type Plain = { readonly kind: "sequence"; readonly parts: readonly (Node & { kind: "set" })[] };

/** One character after another, as nearly all patterns are: a model may have one for each of its modules, each tried on each module. */
const isPlain = (node: Node): node is Plain => node.kind === "sequence" && node.parts.every((part) => part.kind === "set");

function endsPlainly(parts: Plain["parts"], name: string): boolean {
  const start = name.length - parts.length;
  return (start === 0 || (start > 0 && name[start - 1] === ".")) && parts.every((part, i) => part.has(name[start + i]!));
}

const isWord = (c: string | undefined): boolean => c !== undefined && /\w/.test(c);
