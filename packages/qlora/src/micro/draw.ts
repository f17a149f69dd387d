// Choosing with a random number that is given as an argument.
import { type RandomKey, uniformAt } from "@qlora-js/core";
import type { Below } from "./fact.ts";

/** The random numbers of a key, one after the other: what the grammar takes as its argument. */
export function draws(key: RandomKey): Below {
  let element = 0;
  return (n) => Math.floor(uniformAt(key, element++) * n);
}

/** One of the items, each as likely as the others. */
export function choose<T>(draw: Below, items: readonly T[]): T {
  return items[draw(items.length)]!;
}

/** True in `percent` of a hundred draws. */
export function chance(draw: Below, percent: number): boolean {
  return draw(100) < percent;
}

/** `count` different items in the order drawn. */
export function several<T>(draw: Below, items: readonly T[], count: number): T[] {
  const rest = [...items];
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(draw(rest.length), 1)[0]!);
}

/** An index, index i being as likely as weights[i] says. */
export function weighted(draw: Below, weights: readonly number[]): number {
  let left = draw(weights.reduce((sum, weight) => sum + weight, 0));
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

const HEADS = ["B", "D", "F", "G", "H", "J", "K", "L", "M", "N", "P", "Qu", "R", "S", "T", "V", "W", "X", "Y", "Z"];
const MIDDLES = ["a", "e", "i", "o", "u"];
const JOINTS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "x", "z"];
const TAILS = ["", "b", "d", "k", "l", "m", "n", "p", "r", "s", "t", "x", "zz"];

/** A name that nobody has: "Zibo", "Kelup". Such names teach a model to copy what it reads, letter by letter. */
export function inventName(draw: Below): string {
  const first = choose(draw, HEADS) + choose(draw, MIDDLES);
  return chance(draw, 50)
    ? first + choose(draw, JOINTS) + choose(draw, MIDDLES) + choose(draw, TAILS)
    : first + choose(draw, TAILS.slice(1));
}
