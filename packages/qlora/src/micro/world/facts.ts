// The whole closed world in one list, and how often each topic is spoken of.
import type { Fact } from "../fact.ts";
import { animalFacts } from "./animals.ts";
import { numberFacts } from "./numbers.ts";
import { wordFacts } from "./order.ts";
import { peopleFacts } from "./people.ts";
import { placeFacts } from "./places.ts";
import { thingFacts } from "./things.ts";

/** Every fact there is, in a fixed order. */
export function allFacts(): Fact[] {
  return [...animalFacts(), ...thingFacts(), ...placeFacts(), ...peopleFacts(), ...wordFacts(), ...numberFacts()];
}

/** The facts by topic, topics in the order of their first fact. */
export function factsByTopic(): ReadonlyMap<string, readonly Fact[]> {
  const topics = new Map<string, Fact[]>();
  for (const fact of allFacts()) {
    const topic = topics.get(fact.topic);
    if (topic === undefined) topics.set(fact.topic, [fact]);
    else topic.push(fact);
  }
  return topics;
}
