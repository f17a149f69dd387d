// Finding a pattern in a text in time that grows with the text's length, whatever the pattern: JavaScript's own matcher takes exponential time on some, and
// cannot be stopped. The ways to match are tried in the same order, but what is found out about a place (nothing comes of this choice here) is written down, so
// that nothing is tried twice at one place: the idea of V8's and RE2's memory for visited states, kept over the whole text.

import { type Instruction, type Program, programOf } from "./pattern-program.ts";
import { parsePattern } from "./pattern-syntax.ts";
import type { TextPattern } from "./text-pattern.ts";

/** Steps that a text may take, and those that each of its characters may add. The patterns in use take some tens a character. */
const [STEPS, STEPS_A_CHARACTER] = [20_000, 2000];
/** Places in a block of facts; and all that may be held, in 32-bit words. */
const BLOCK = 256;
const MOST_WORDS = 2 ** 24;

/**
 * @param source an expression of JavaScript, in Unicode mode
 * @param tooLong what to throw where a text takes too long all the same
 * @throws Error saying what of it is not read
 */
export function boundedPattern(source: string, tooLong: (characters: number) => Error): TextPattern {
  const program = programOf(parsePattern(source));
  return {
    *matches(text) {
      const search = new Search(program, text, () => tooLong(text.length));
      for (let at = 0; at <= text.length; ) {
        const end = search.from(at);
        if (end >= 0) yield { index: at, 0: text.slice(at, end) };
        at = end > at ? end : at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
      }
    },
  };
}

/** A way leads through choices alone. */
type Split = Instruction & { readonly op: "split" };

class Search {
  /** Two bits a fact a place: nothing comes of it; it matches. */
  readonly #facts: (Uint32Array | undefined)[] = [];
  readonly #wordsAPlace: number;
  #words = 0;
  #dropped = 0;
  #steps: number;
  /** Choices on the way here: instruction, place, and whether the second is being tried. */
  readonly #way: number[] = [];

  constructor(
    readonly program: Program,
    readonly text: string,
    readonly tooLong: () => Error,
  ) {
    this.#wordsAPlace = Math.ceil((2 * program.facts) / 32);
    this.#steps = STEPS + STEPS_A_CHARACTER * text.length;
  }

  /** Where the match that begins at `at` ends; −1 if none does. Places only grow. */
  from(at: number): number {
    for (const block = Math.floor(at / BLOCK); this.#dropped < block; this.#dropped++) {
      if (this.#facts[this.#dropped]) this.#words -= BLOCK * this.#wordsAPlace;
      delete this.#facts[this.#dropped];
    }
    return this.#run(0, at, false);
  }

  #run(start: number, place: number, looking: boolean): number {
    const { text } = this;
    const { code } = this.program;
    const way = this.#way;
    const base = way.length;
    for (let [pc, at] = [start, place]; ; ) {
      if (--this.#steps < 0) throw this.tooLong();
      const step = code[pc]!;
      let goesOn = true;
      switch (step.op) {
        case "set": {
          const character = at < text.length ? text.codePointAt(at)! : -1;
          goesOn = character >= 0 && step.has(character);
          at += character > 0xffff ? 2 : 1;
          pc++;
          break;
        }
        case "jump":
          pc = step.to;
          break;
        case "split":
          if (looking && this.#knows(step.fact, at, true)) return this.#matched(base, at, looking);
          goesOn = !this.#knows(step.fact, at, false);
          if (goesOn) way.push(pc, at, 0);
          pc = step.first;
          break;
        case "ahead":
          goesOn = this.#looksAhead(step.fact, pc + 1, at) !== step.negative;
          pc = step.next;
          break;
        case "behind":
          goesOn = (at > 0 && step.has(characterBefore(text, at))) !== step.negative;
          pc++;
          break;
        case "match":
          return this.#matched(base, at, looking);
      }
      if (goesOn) continue;
      const other = this.#otherWay(base);
      if (!other) return -1;
      [pc, at] = other;
    }
  }

  /** The last choice that has a second way left, taken. Choices without are known to lead nowhere. */
  #otherWay(base: number): [pc: number, at: number] | undefined {
    const way = this.#way;
    while (way.length > base) {
      const [second, at, pc] = [way.pop()!, way.pop()!, way.pop()!];
      const split = this.program.code[pc] as Split;
      if (!second) {
        way.push(pc, at, 1);
        return [split.second, at];
      }
      this.#learn(split.fact, at, false);
    }
    return undefined;
  }

  /** For whoever looks ahead it is enough to know that there is a match. */
  #matched(base: number, at: number, looking: boolean): number {
    const way = this.#way;
    for (let i = base; looking && i < way.length; i += 3) this.#learn((this.program.code[way[i]!] as Split).fact, way[i + 1]!, true);
    way.length = base;
    return at;
  }

  #looksAhead(fact: number, start: number, at: number): boolean {
    if (this.#knows(fact, at, true)) return true;
    if (this.#knows(fact, at, false)) return false;
    const found = this.#run(start, at, true) >= 0;
    this.#learn(fact, at, found);
    return found;
  }

  #knows(fact: number, at: number, matches: boolean): boolean {
    const bit = 2 * fact + Number(matches);
    const block = this.#facts[Math.floor(at / BLOCK)];
    return block !== undefined && ((block[(at % BLOCK) * this.#wordsAPlace + (bit >> 5)]! >> (bit & 31)) & 1) === 1;
  }

  #learn(fact: number, at: number, matches: boolean): void {
    const bit = 2 * fact + Number(matches);
    const number = Math.floor(at / BLOCK);
    let block = this.#facts[number];
    if (!block) {
      this.#words += BLOCK * this.#wordsAPlace;
      if (this.#words > MOST_WORDS) throw this.tooLong();
      block = new Uint32Array(BLOCK * this.#wordsAPlace);
      this.#facts[number] = block;
    }
    block[(at % BLOCK) * this.#wordsAPlace + (bit >> 5)]! |= 1 << (bit & 31);
  }
}

function characterBefore(text: string, at: number): number {
  const pair = at > 1 ? text.codePointAt(at - 2)! : 0;
  return pair > 0xffff ? pair : text.charCodeAt(at - 1);
}
