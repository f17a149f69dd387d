// The grammar that the micro model's pre-training text comes from: a closed world of facts, little stories and small talk, as chats in ChatML and as
// plain text. One document is a pure function of the random numbers it is given; there is no state, no clock, and no file.
import { chance, choose, weighted } from "./draw.ts";
import { type Below, capital, type Fact, fill, sentence } from "./fact.ts";
import { counting, type Exchange, introduction, pleasantry, spelling } from "./small-talk.ts";
import { storyText, tellStory } from "./stories/story.ts";
import { factsByTopic } from "./world/facts.ts";
import { PEOPLE } from "./world/people.ts";

/** One turn of a chat. */
export interface MicroMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** A document of the corpus: a chat or a plain story. */
export type MicroDocument = { readonly messages: readonly MicroMessage[] } | { readonly text: string };

/** Ends every document, and pads. */
export const END_OF_TEXT = "<|endoftext|>";
/** Opens a turn: `<|im_start|>user\n`. */
export const TURN_START = "<|im_start|>";
/** Closes a turn; generation stops here. */
export const TURN_END = "<|im_end|>";

/** How much each topic is spoken of. Topics with more facts, or with harder ones, get more; what is not named has 2. */
const TOPIC_WEIGHTS: Readonly<Record<string, number>> = {
  colours: 6,
  sounds: 4,
  homes: 4,
  food: 4,
  kinds: 4,
  capitals: 5,
  countries: 3,
  likes: 3,
  fans: 3,
  citizens: 3,
  owners: 3,
  uses: 3,
  order: 9,
  opposites: 6,
  sums: 9,
  "sums in figures": 13,
  differences: 6,
  "differences in figures": 9,
  sizes: 3,
  "bigger numbers": 4,
  "smaller numbers": 4,
};

/** Chat and story makers with their shares in percent. */
const SHARES = [44, 12, 6, 3, 5, 3, 8, 6, 9, 4] as const;

/**
 * Ways to put a question and its answer: {Q} and {S} as sentences begin, {q} and {s} within one. One answer said in many ways keeps what is known apart
 * from how it is said, and that is what fine-tuning on a style builds on.
 */
const FRAMES: readonly Exchange[] = [
  ["Please tell me: {q}", "Of course: {s}."],
  ["Do you know this? {Q}", "Yes, I know that {s}."],
  ["What do you think? {Q}", "I think that {s}."],
  ["{Q} Say it loud!", "{S}!"],
  ["My friend, {q}", "{S}, my friend."],
  ["{name} wants to know: {q}", "Tell {name} that {s}."],
  ["Hello! {Q}", "Hello! {S}."],
  ["{Q} Are you sure?", "I am sure that {s}."],
  ["Sing it for me: {q}", "La la la, {s}, la la la!"],
  ["I do not know much. {Q}", "Well, {s}, little one!"],
];

const asMessages = (exchanges: readonly Exchange[]): MicroMessage[] =>
  exchanges.flatMap(([question, answer]) => [
    { role: "user" as const, content: question },
    { role: "assistant" as const, content: answer },
  ]);

/** Some people write without capitals and question marks. */
const casual = (question: string) => question.toLowerCase().replace(/ ?[?.]$/, "");

/** A question within a sentence: small at the beginning unless it begins with "I". */
const inner = (question: string) => (question.startsWith("I ") ? question : question.charAt(0).toLowerCase() + question.slice(1));

/** A question and its answer put in a frame. */
function framed(draw: Below, question: string, statement: string): Exchange {
  const [ask, answer] = choose(draw, FRAMES);
  const words = { Q: question, q: inner(question), S: capital(statement), s: statement, name: choose(draw, PEOPLE).name };
  return [fill(ask, words), fill(answer, words)];
}

/** A function of random numbers that yields documents; it holds the tables, so that they are made once. */
export function microGrammar(): (draw: Below) => MicroDocument {
  const topics = [...factsByTopic()].map(([name, facts]) => ({ facts, weight: TOPIC_WEIGHTS[name] ?? 2 }));
  const weights = topics.map(({ weight }) => weight);
  const someFact = (draw: Below): Fact => choose(draw, topics[weighted(draw, weights)]!.facts);
  const questionOf = (draw: Below): Exchange => {
    const { questions, statement, yes, no } = someFact(draw);
    if (yes.length > 0 && chance(draw, 14))
      return chance(draw, 50) ? [choose(draw, yes), `Yes, ${statement}.`] : [choose(draw, no), `No, ${statement}.`];
    const question = choose(draw, questions);
    if (chance(draw, 20)) return framed(draw, question, statement);
    return [chance(draw, 4) ? casual(question) : question, sentence(statement)];
  };
  const makers: readonly ((draw: Below) => MicroDocument)[] = [
    (draw) => ({ messages: asMessages([questionOf(draw)]) }),
    (draw) => ({ messages: asMessages(Array.from({ length: 2 + draw(3) }, () => questionOf(draw))) }),
    (draw) => ({ messages: asMessages(pleasantry(draw)) }),
    (draw) => ({ messages: asMessages([...introduction(draw), ...(chance(draw, 30) ? [questionOf(draw)] : [])]) }),
    (draw) => ({ messages: asMessages(spelling(draw)) }),
    (draw) => ({ messages: asMessages(counting(draw)) }),
    storyQuestion,
    storyRequest,
    (draw) => ({ text: storyText(tellStory(draw)) }),
    (draw) => ({ text: Array.from({ length: 2 + draw(4) }, () => sentence(someFact(draw).statement)).join(" ") }),
  ];
  return (draw) => makers[weighted(draw, SHARES)]!(draw);
}

/** A story, and something that was said in it. */
function storyQuestion(draw: Below): MicroDocument {
  const story = tellStory(draw);
  const [question, statement] = choose(draw, story.asks);
  return { messages: asMessages([[`${storyText(story)} ${question}`, sentence(statement)]]) };
}

/** Somebody asks for a story, or for one about somebody. */
function storyRequest(draw: Below): MicroDocument {
  const story = tellStory(draw);
  const topic = chance(draw, 60) ? ` about ${choose(draw, story.about)}` : "";
  const request = choose(draw, [
    "Tell me a story{}.",
    "Please tell me a story{}.",
    "Can you tell me a story{}?",
    "I want to hear a story{}.",
    "Tell me a little story{}.",
  ]);
  return { messages: asMessages([[request.replace("{}", topic), storyText(story)]]) };
}

/** A document as the model reads it. A chat is exactly what the chat template of the tokenizer's config renders; both end with the end-of-text mark. */
export function microText(document: MicroDocument): string {
  if ("text" in document) return document.text + END_OF_TEXT;
  return document.messages.map(({ role, content }) => `${TURN_START}${role}\n${content}${TURN_END}\n`).join("") + END_OF_TEXT;
}
