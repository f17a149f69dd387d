// A pattern's tree as instructions, one after the other: what bounded-pattern.ts runs.
import type { CharacterTest, Node } from "./pattern-syntax.ts";

export type Instruction =
  | { readonly op: "set"; readonly has: CharacterTest }
  /** Tries `first`, and `second` if nothing comes of it. `fact` numbers what is found out about it at a place. */
  | { readonly op: "split"; readonly fact: number; first: number; second: number }
  /** What comes next, up to "match", has to match here or must not; goes on at `next`. */
  | { readonly op: "ahead"; readonly fact: number; readonly negative: boolean; next: number }
  | { readonly op: "behind"; readonly has: CharacterTest; readonly negative: boolean }
  | { readonly op: "jump"; to: number }
  | { readonly op: "match" };

export interface Program {
  readonly code: readonly Instruction[];
  /** How many things there are to be found out about a place. */
  readonly facts: number;
}

/** The longest pattern in use takes two hundred. */
const MOST_INSTRUCTIONS = 2000;

/** @throws Error saying what is not read: too much of it, repeats of what may be nothing, looking back at more than a character */
export function programOf(tree: Node): Program {
  const code: Instruction[] = [];
  let facts = 0;
  const add = <T extends Instruction>(instruction: T): T => {
    if (code.length === MOST_INSTRUCTIONS) throw new Error(`more than ${MOST_INSTRUCTIONS} steps in it`);
    code.push(instruction);
    return instruction;
  };
  const split = (): Instruction & { op: "split" } => add({ op: "split", fact: facts++, first: 0, second: 0 });
  /** One way or the other, the one just behind the split or elsewhere. */
  const choose = (at: Instruction & { op: "split" }, next: number, other: number, lazy: boolean): void => {
    [at.first, at.second] = lazy ? [other, next] : [next, other];
  };
  const repeat = ({ body, min, max, lazy }: Node & { kind: "repeat" }): void => {
    if (max > 1 && mayBeNothing(body)) throw new Error("a repeat of what may be nothing in it");
    for (let i = 0; i < min; i++) emit(body);
    if (max === Number.POSITIVE_INFINITY) {
      const start = code.length;
      const loop = split();
      emit(body);
      add({ op: "jump", to: start });
      choose(loop, start + 1, code.length, lazy);
      return;
    }
    const exits = Array.from({ length: Math.max(0, max - min) }, () => {
      const exit = { at: split(), next: code.length };
      emit(body);
      return exit;
    });
    for (const { at, next } of exits) choose(at, next, code.length, lazy);
  };
  const emit = (node: Node): void => {
    switch (node.kind) {
      case "set":
        add({ op: "set", has: node.has });
        return;
      case "sequence":
        for (const part of node.parts) emit(part);
        return;
      case "choice": {
        const ends = node.parts.slice(0, -1).map((part) => {
          const at = split();
          const next = code.length;
          emit(part);
          const end = add({ op: "jump", to: 0 });
          choose(at, next, code.length, false);
          return end;
        });
        emit(node.parts.at(-1)!);
        for (const end of ends) end.to = code.length;
        return;
      }
      case "repeat":
        repeat(node);
        return;
      case "ahead": {
        const look = add({ op: "ahead", fact: facts++, negative: node.negative, next: 0 });
        emit(node.body);
        add({ op: "match" });
        look.next = code.length;
        return;
      }
      case "behind":
        if (node.body.kind !== "set") throw new Error("a look at more than the character before in it");
        add({ op: "behind", has: node.body.has, negative: node.negative });
    }
  };
  emit(tree);
  add({ op: "match" });
  return { code, facts };
}

function mayBeNothing(node: Node): boolean {
  switch (node.kind) {
    case "set":
      return false;
    case "sequence":
      return node.parts.every(mayBeNothing);
    case "choice":
      return node.parts.some(mayBeNothing);
    case "repeat":
      return node.min === 0 || mayBeNothing(node.body);
    default:
      return true;
  }
}
