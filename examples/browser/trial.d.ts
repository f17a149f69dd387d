import { type Backend } from "@qlora-js/core";

interface Candidate {
  /** In a sentence. */
  readonly name: string;
  readonly backend: Backend;
}
export interface Faster<T> {
  readonly faster: T;
  readonly slower: T;
  /** What was measured, for people. */
  readonly words: string;
}
/** The faster of two; the first, if they are equally fast. */
export declare function fasterOf<T extends Candidate>(first: T, second: T): Promise<Faster<T>>;
