// The syntax of the regular expressions that name modules: text to tree. What the tree means is in module-pattern.ts.
import { FormatError } from "@qlora-js/core";
import { quoted } from "./quoted.ts";

export type Node =
  | { readonly kind: "set"; readonly has: (c: string) => boolean }
  | { readonly kind: "start" | "end" | "boundary" }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "look"; readonly body: Node; readonly negative: boolean }
  | { readonly kind: "repeat"; readonly body: Node; readonly min: number; readonly max: number; readonly lazy: boolean };

const MAX_LENGTH = 4096;
const MAX_NESTING = 50;

const CLASSES: Readonly<Record<string, (c: string) => boolean>> = {
  d: (c) => c >= "0" && c <= "9",
  D: (c) => c < "0" || c > "9",
  w: (c) => /\w/.test(c),
  W: (c) => /\W/.test(c),
  s: (c) => /\s/.test(c),
  S: (c) => /\S/.test(c),
};

/** @throws FormatError if it is not a pattern, or uses what is not supported */
export function parsePattern(file: string, pattern: string): Node {
  if (pattern.length > MAX_LENGTH)
    throw new FormatError(file, `the pattern ${quoted(pattern)} has ${pattern.length} characters; at most ${MAX_LENGTH} are read.`);
  return new Parser(file, pattern).parse();
}

class Parser {
  private at = 0;
  private nesting = 0;
  constructor(
    private readonly file: string,
    private readonly pattern: string,
  ) {}

  parse(): Node {
    const node = this.choice();
    if (this.at < this.pattern.length) this.fail(") without (");
    return node;
  }

  private fail(what: string): never {
    throw new FormatError(
      this.file,
      `the pattern ${quoted(this.pattern)} cannot be read: ${what} at character ${this.at}. Name the modules in a list instead.`,
    );
  }

  private take(text: string): boolean {
    if (!this.pattern.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private next(): string {
    const c = this.pattern[this.at++];
    return c ?? this.fail("it ends early");
  }

  private choice(): Node {
    const options = [this.sequence()];
    while (this.take("|")) options.push(this.sequence());
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    for (let c = this.pattern[this.at]; c !== undefined && c !== "|" && c !== ")"; c = this.pattern[this.at])
      parts.push(this.repeated(this.atom()));
    return { kind: "sequence", parts };
  }

  private repeated(body: Node): Node {
    const counts = this.counts();
    if (!counts) return body;
    const lazy = this.take("?");
    if (/^[*+?]/.test(this.pattern.slice(this.at))) this.fail("a repeat of a repeat");
    return { kind: "repeat", body, min: counts[0], max: counts[1], lazy };
  }

  private counts(): readonly [number, number] | undefined {
    if (this.take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.take("?")) return [0, 1];
    const braces = /^\{(\d{0,5})(,?)(\d{0,5})\}/.exec(this.pattern.slice(this.at, this.at + 16));
    if (!braces || braces[0] === "{}") return undefined;
    this.at += braces[0].length;
    const [, least = "", comma, most = ""] = braces;
    const min = Number(least);
    return [min, comma === "" ? min : most === "" ? Number.POSITIVE_INFINITY : Number(most)];
  }

  private atom(): Node {
    const c = this.next();
    switch (c) {
      case ".":
        return { kind: "set", has: (x) => x !== "\n" };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "(":
        return this.group();
      case "[":
        return this.set();
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        return this.fail(`${c} without anything to repeat`);
      default:
        return { kind: "set", has: (x) => x === c };
    }
  }

  private group(): Node {
    if (++this.nesting > MAX_NESTING) this.fail(`groups deeper than ${MAX_NESTING}`);
    const look = this.take("?=") ? "positive" : this.take("?!") ? "negative" : undefined;
    if (!look && !this.take("?:")) {
      const named = /^\?P<\w{1,50}>/.exec(this.pattern.slice(this.at, this.at + 56));
      if (named) this.at += named[0].length;
      else if (this.pattern[this.at] === "?") this.fail(`(${this.pattern.slice(this.at, this.at + 3)} is not supported`);
    }
    const body = this.choice();
    if (!this.take(")")) this.fail("( without )");
    this.nesting--;
    return look ? { kind: "look", body, negative: look === "negative" } : body;
  }

  private escape(): Node {
    const c = this.next();
    const has = CLASSES[c];
    if (has) return { kind: "set", has };
    if (c === "b") return { kind: "boundary" };
    if (c === "A") return { kind: "start" };
    if (c === "Z") return { kind: "end" };
    if (/[A-Za-z0-9]/.test(c)) this.fail(`\\${c} is not supported`);
    return { kind: "set", has: (x) => x === c };
  }

  private set(): Node {
    const negated = this.take("^");
    const members: ((c: string) => boolean)[] = [];
    for (let first = true; first || this.pattern[this.at] !== "]"; first = false) members.push(this.member());
    this.at++;
    return { kind: "set", has: (c) => members.some((has) => has(c)) !== negated };
  }

  private member(): (c: string) => boolean {
    const low = this.next();
    if (low === "\\") {
      const c = this.next();
      const has = CLASSES[c];
      if (has) return has;
      if (/[A-Za-z0-9]/.test(c)) this.fail(`\\${c} is not supported`);
      return (x) => x === c;
    }
    if (this.pattern[this.at] !== "-" || this.pattern[this.at + 1] === "]") return (x) => x === low;
    this.at++;
    const high = this.next();
    if (high === "\\" || high < low) this.fail(`the range ${low}-${high}`);
    return (x) => x >= low && x <= high;
  }
}
