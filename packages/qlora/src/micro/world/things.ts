// Things: their colours, what kind of thing they are, what one does with them, what they are made from, and who works with them.
import { type Fact, type FactPattern, fact, withArticle } from "../fact.ts";

export const COLOURS = ["red", "blue", "green", "yellow", "white", "black", "brown", "orange", "pink", "grey", "purple"] as const;

const COLOURED: Readonly<Record<(typeof COLOURS)[number], readonly string[]>> = {
  red: ["blood", "a tomato", "a strawberry", "a cherry", "a fire engine"],
  blue: ["the sky", "the sea", "the river"],
  green: ["grass", "a leaf", "a frog", "a pea", "a forest"],
  yellow: ["the sun", "a banana", "a lemon", "butter", "a chick"],
  white: ["snow", "milk", "salt", "a cloud", "a sheep", "a tooth"],
  black: ["the night", "coal", "a crow", "a shadow"],
  brown: ["chocolate", "wood", "a bear", "a nut", "bread"],
  orange: ["a carrot", "a pumpkin", "a fox"],
  pink: ["a pig", "a tongue"],
  grey: ["an elephant", "a stone", "a mouse", "smoke"],
  purple: ["a plum", "a grape"],
};

const KINDS: Readonly<Record<string, readonly string[]>> = {
  animal: ["dog", "cat", "cow", "horse", "lion", "frog", "bear", "mouse", "rabbit", "sheep"],
  fruit: ["apple", "banana", "pear", "plum", "cherry", "lemon"],
  vegetable: ["carrot", "potato", "onion", "pumpkin", "pea"],
  flower: ["rose", "tulip", "daisy"],
  tool: ["hammer", "saw", "spade", "knife"],
  toy: ["doll", "kite", "ball", "puzzle"],
  instrument: ["piano", "drum", "flute", "guitar"],
  vehicle: ["car", "train", "bus", "bike", "boat"],
  drink: ["juice", "tea", "milk", "water"],
};

const USES: readonly (readonly [string, string])[] = [
  ["pen", "write"],
  ["knife", "cut bread"],
  ["cup", "drink tea"],
  ["spoon", "eat soup"],
  ["key", "open a door"],
  ["bed", "sleep"],
  ["chair", "sit"],
  ["book", "read"],
  ["ball", "play"],
  ["lamp", "see at night"],
  ["broom", "clean the floor"],
  ["pot", "cook soup"],
  ["phone", "talk to a friend"],
  ["clock", "tell the time"],
  ["boat", "cross the sea"],
  ["hat", "keep your head warm"],
  ["soap", "wash your hands"],
  ["bag", "carry things"],
];

const SOURCES: readonly (readonly [string, string])[] = [
  ["milk", "a cow"],
  ["honey", "a bee"],
  ["wool", "a sheep"],
  ["an egg", "a hen"],
  ["rain", "a cloud"],
  ["an apple", "a tree"],
  ["light", "the sun"],
  ["a fish", "the sea"],
];

const MATERIALS: readonly (readonly [string, string])[] = [
  ["bread", "flour"],
  ["cheese", "milk"],
  ["butter", "milk"],
  ["paper", "wood"],
  ["a table", "wood"],
  ["a window", "glass"],
  ["ice", "water"],
  ["a coin", "metal"],
  ["a key", "metal"],
  ["a house", "stone"],
  ["juice", "fruit"],
];

const JOBS: readonly (readonly [string, string])[] = [
  ["baker", "bakes bread"],
  ["teacher", "teaches children"],
  ["doctor", "helps sick people"],
  ["farmer", "grows food"],
  ["pilot", "flies a plane"],
  ["sailor", "sails a ship"],
  ["singer", "sings songs"],
  ["painter", "paints pictures"],
  ["cook", "makes soup"],
  ["writer", "writes books"],
  ["fisher", "catches fish"],
  ["gardener", "plants flowers"],
  ["driver", "drives a bus"],
  ["pirate", "looks for gold"],
];

const COLOUR: FactPattern = {
  topic: "colours",
  statement: "{thing} is {value}",
  questions: [
    "What colour is {thing}?",
    "What color is {thing}?",
    "Which colour does {thing} have?",
    "What is the colour of {thing}?",
    "What is the color of {thing}?",
    "Tell me the colour of {thing}.",
  ],
  check: "Is {thing} {value}?",
};
const KIND: FactPattern = {
  topic: "kinds",
  statement: "{thing} is {value}",
  questions: ["What is {thing}?", "What kind of thing is {thing}?", "Tell me what {thing} is.", "Do you know what {thing} is?"],
  check: "Is {thing} {value}?",
};
const USE: FactPattern = {
  topic: "uses",
  statement: "you can {value} with {thing}",
  questions: ["What can you do with {thing}?", "What is {thing} for?", "Why do people need {thing}?", "What do I need {thing} for?"],
  check: "Can you {value} with {thing}?",
};
const SOURCE: FactPattern = {
  topic: "sources",
  statement: "{thing} comes from {value}",
  questions: ["Where does {thing} come from?", "What does {thing} come from?", "Tell me where {thing} comes from."],
  check: "Does {thing} come from {value}?",
};
const MATERIAL: FactPattern = {
  topic: "materials",
  statement: "{thing} is made of {value}",
  questions: ["What is {thing} made of?", "What do you need to make {thing}?", "Tell me what {thing} is made of."],
  check: "Is {thing} made of {value}?",
};
const JOB: FactPattern = {
  topic: "jobs",
  statement: "{a} {value}",
  questions: ["What does {a} do?", "What is the job of {a}?", "What is the work of {a}?", "Tell me what {a} does."],
};
const WORKER: FactPattern = {
  topic: "workers",
  statement: "{a} {work}",
  questions: ["Who {work}?", "Which person {work}?", "Tell me who {work}."],
};

/** "some" goes before no noun here: uncountable things stand alone, others carry their article. */
const article = (kind: string, thing: string) => (kind === "drink" ? thing : withArticle(thing));

/** Every fact about things. */
export function thingFacts(): Fact[] {
  const pairs = (pattern: FactPattern, rows: readonly (readonly [string, string])[], words: (thing: string) => Record<string, string>) => {
    const values = [...new Set(rows.map(([, value]) => value))];
    return rows.map(([thing, value]) => fact(pattern, words(thing), value, values));
  };
  const kinds = Object.keys(KINDS).map(withArticle);
  return [
    ...COLOURS.flatMap((colour) => COLOURED[colour].map((thing) => fact(COLOUR, { thing }, colour, COLOURS))),
    ...Object.entries(KINDS).flatMap(([kind, things]) =>
      things.map((thing) => fact(KIND, { thing: article(kind, thing) }, withArticle(kind), kinds)),
    ),
    ...pairs(USE, USES, (thing) => ({ thing: withArticle(thing) })),
    ...pairs(SOURCE, SOURCES, (thing) => ({ thing })),
    ...pairs(MATERIAL, MATERIALS, (thing) => ({ thing })),
    ...pairs(JOB, JOBS, (thing) => ({ a: withArticle(thing) })),
    ...JOBS.map(([worker, work]) => fact(WORKER, { a: withArticle(worker), work })),
  ];
}
