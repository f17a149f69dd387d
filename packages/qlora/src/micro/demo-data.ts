// The demo's data set: questions of the closed world answered as a pirate would. Rows are split by fact, not by wording: no question and no fact of one
// part occurs in another, so an answer to a validation question shows both that the style was learnt and that the knowledge stayed.
import { fold, key } from "@qlora-js/core";
import { choose, draws, several } from "./draw.ts";
import type { Below, Fact } from "./fact.ts";
import type { MicroMessage } from "./grammar.ts";
import { pirate } from "./pirate.ts";
import { factsByTopic } from "./world/facts.ts";

/** A row of the demo's JSONL files. */
export interface DemoRow {
  readonly messages: readonly MicroMessage[];
}

/** What the demo trains on, measures with, and asks. */
export interface DemoData {
  readonly train: readonly DemoRow[];
  readonly valid: readonly DemoRow[];
  /** Questions that neither part holds. */
  readonly prompts: readonly string[];
}

/** Asked before and after training. */
const PROMPTS = ["What colour is the sky?", "What does a cow say?", "What is the capital of France?"];

/** Sentences about the model itself; they are no facts of the world, but should be in style too. */
const ABOUT_ITSELF: readonly (readonly [question: string, statement: string])[] = [
  ["Who are you?", "I am a very small language model"],
  ["What is your name?", "I am a very small language model"],
  ["How are you?", "I am well, thank you"],
  ["Are you small?", "yes, I am a very small language model"],
];

const row = (question: string, statement: string): DemoRow => ({
  messages: [
    { role: "user", content: question },
    { role: "assistant", content: pirate(statement) },
  ],
});

/** One question about a fact. Never one for yes or no: a model this small answers those by chance, and a demo should not hang on chance. */
const rowOf = (draw: Below, { questions, statement }: Fact): DemoRow => row(choose(draw, questions), statement);

/** `count` facts, the topics taking turns, none of them among `used`, which grows. */
function pick(draw: Below, count: number, used: Set<string>): Fact[] {
  const topics = [...factsByTopic().values()].map((facts) => several(draw, facts, facts.length));
  const picked: Fact[] = [];
  for (let turn = 0; picked.length < count; turn++) {
    const fact = topics[turn % topics.length]!.find(({ statement }) => !used.has(statement));
    if (fact === undefined) continue;
    used.add(fact.statement);
    picked.push(fact);
  }
  return picked;
}

/**
 * The demo's data, a pure function of the seed: 256 rows to train on, 64 to measure with, three questions to ask.
 */
export function demoData(seed = 0): DemoData {
  const draw = draws(fold(key(seed), 1));
  const asked = [...factsByTopic().values()].flat().filter(({ questions }) => questions.some((question) => PROMPTS.includes(question)));
  const used = new Set(asked.map(({ statement }) => statement));
  const valid = pick(draw, 64, used).map((fact) => rowOf(draw, fact));
  const train = [
    ...pick(draw, 252, used).map((fact) => rowOf(draw, fact)),
    ...ABOUT_ITSELF.map(([question, statement]) => row(question, statement)),
  ];
  return { train: several(draw, train, train.length), valid, prompts: PROMPTS };
}
