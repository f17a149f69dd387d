// Who a story is about, and the story itself as a value: sentences, and questions that its sentences answer.
import { chance, choose, inventName, several } from "../draw.ts";
import { type Below, withArticle } from "../fact.ts";
import { PEOPLE, type Person } from "../world/people.ts";

/** A short text, what it is about ("a race", "Tom"), and what can be asked about it: question and answering statement. */
export interface Story {
  readonly about: readonly string[];
  readonly sentences: readonly string[];
  readonly asks: readonly (readonly [question: string, statement: string])[];
}

/** One who acts in a story. `he` may be "he", "she" or "it". */
export interface Character {
  readonly name: string;
  readonly kind: string;
  readonly he: string;
  readonly his: string;
  readonly him: string;
}

/** A plot tells one story; every choice in it comes from `draw`. */
export type Plot = (draw: Below) => Story;

const pronouns = (female: boolean) => (female ? { he: "she", his: "her", him: "her" } : { he: "he", his: "his", him: "him" });

const personOf = (draw: Below, { name, female }: Person): Character => ({
  name: chance(draw, 15) ? inventName(draw) : name,
  kind: female ? "girl" : "boy",
  ...pronouns(female),
});

/** A person: mostly one of the closed world, sometimes one with an invented name. */
export function onePerson(draw: Below): Character {
  return personOf(draw, choose(draw, PEOPLE));
}

/** Two different people. */
export function twoPeople(draw: Below): [Character, Character] {
  const [first, second] = several(draw, PEOPLE, 2);
  return [personOf(draw, first!), personOf(draw, second!)];
}

/** A small animal with a name of its own. */
export function animal(draw: Below, kinds: readonly string[]): Character {
  return {
    name: chance(draw, 60) ? choose(draw, PEOPLE).petName : inventName(draw),
    kind: choose(draw, kinds),
    ...pronouns(chance(draw, 50)),
  };
}

/** How a story begins when `who` is new to the reader. */
export function opening(draw: Below, { name, kind }: Character): string {
  return choose(draw, [
    `Once upon a time there was a little ${kind} called ${name}.`,
    `There was once a ${kind} called ${name}.`,
    `${name} was a little ${kind}.`,
    `This is a story about ${withArticle(kind)} called ${name}.`,
  ]);
}

/** How a story ends well. */
export function happyEnd(draw: Below, { name, he }: Character): string {
  const She = he.charAt(0).toUpperCase() + he.slice(1);
  return choose(draw, [
    `${name} was very happy.`,
    `${name} was happy all day.`,
    `${She} smiled and went home.`,
    `In the evening ${name} went to bed and slept well.`,
    `${She} had never been so happy.`,
  ]);
}
