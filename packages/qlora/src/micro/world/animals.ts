// Animals: what they say, where they live, what they eat, how many legs they have, what their young are called, which is bigger.
import { type Fact, type FactPattern, fact, withArticle } from "../fact.ts";

/** One animal; a column is absent where the answer would not be plain. */
export interface Animal {
  readonly name: string;
  readonly sound?: string;
  readonly home?: string;
  readonly food?: string;
  readonly young?: string;
  readonly legs?: string;
}

/** From the smallest to the biggest, for "which is bigger". */
export const ANIMALS: readonly Animal[] = [
  { name: "ant", home: "in the ground", food: "sugar", legs: "six" },
  { name: "bee", sound: "buzz", home: "in a hive", legs: "six" },
  { name: "spider", home: "in a web", food: "flies", legs: "eight" },
  { name: "butterfly", home: "in a garden", legs: "six" },
  { name: "frog", sound: "ribbit", home: "in a pond", food: "flies", young: "tadpole", legs: "four" },
  { name: "mouse", sound: "squeak", home: "in a hole", food: "cheese", legs: "four" },
  { name: "bird", sound: "tweet", home: "in a nest", food: "seeds", legs: "two" },
  { name: "crow", sound: "caw", home: "in a tree", food: "corn", legs: "two" },
  { name: "squirrel", home: "in a tree", food: "nuts", legs: "four" },
  { name: "owl", sound: "hoot", home: "in a tree", food: "mice", legs: "two" },
  { name: "hen", sound: "cluck", home: "on a farm", food: "seeds", young: "chick", legs: "two" },
  { name: "duck", sound: "quack", home: "on a pond", food: "bread", young: "duckling", legs: "two" },
  { name: "rabbit", home: "in a hole", food: "carrots", young: "bunny", legs: "four" },
  { name: "cat", sound: "meow", home: "in a house", food: "fish", young: "kitten", legs: "four" },
  { name: "fox", home: "in a forest", food: "hens", young: "cub", legs: "four" },
  { name: "dog", sound: "woof", home: "in a house", food: "bones", young: "puppy", legs: "four" },
  { name: "penguin", home: "on the ice", food: "fish", young: "chick", legs: "two" },
  { name: "goat", home: "on a farm", food: "leaves", young: "kid", legs: "four" },
  { name: "sheep", sound: "baa", home: "on a farm", food: "grass", young: "lamb", legs: "four" },
  { name: "wolf", sound: "howl", home: "in a forest", food: "meat", young: "cub", legs: "four" },
  { name: "monkey", home: "in the jungle", food: "bananas" },
  { name: "pig", sound: "oink", home: "on a farm", food: "corn", young: "piglet", legs: "four" },
  { name: "panda", home: "in a forest", food: "bamboo", young: "cub", legs: "four" },
  { name: "lion", sound: "roar", home: "in the jungle", food: "meat", young: "cub", legs: "four" },
  { name: "bear", sound: "growl", home: "in a cave", food: "honey", young: "cub", legs: "four" },
  { name: "cow", sound: "moo", home: "on a farm", food: "grass", young: "calf", legs: "four" },
  { name: "horse", sound: "neigh", home: "on a farm", food: "hay", young: "foal", legs: "four" },
  { name: "camel", home: "in the desert", food: "leaves", legs: "four" },
  { name: "elephant", home: "in the jungle", food: "leaves", young: "calf", legs: "four" },
  { name: "whale", home: "in the sea", food: "fish", young: "calf", legs: "no" },
];

/** Sounds of what is no animal. The pirate is here so that the words of the demo are known before the style is. */
const OTHER_SOUNDS: readonly (readonly [string, string])[] = [
  ["pirate", "arr"],
  ["ghost", "boo"],
  ["clock", "tick"],
  ["bell", "ding"],
  ["baby", "waa"],
];

const SOUND: FactPattern = {
  topic: "sounds",
  statement: "{a} says {value}",
  questions: [
    "What does {a} say?",
    "What sound does {a} make?",
    "Which sound does {a} make?",
    "How does {a} sound?",
    "Tell me what {a} says.",
    "What noise does {a} make?",
  ],
  check: "Does {a} say {value}?",
};
const SPEAKER: FactPattern = {
  topic: "speakers",
  statement: "{a} says {sound}",
  questions: ["Who says {sound}?", "What says {sound}?", "I hear a {sound}. What is it?"],
};
const HOME: FactPattern = {
  topic: "homes",
  statement: "{a} lives {value}",
  questions: [
    "Where does {a} live?",
    "Where is the home of {a}?",
    "Where can I find {a}?",
    "Tell me where {a} lives.",
    "In which place does {a} live?",
  ],
  check: "Does {a} live {value}?",
};
const FOOD: FactPattern = {
  topic: "food",
  statement: "{a} eats {value}",
  questions: [
    "What does {a} eat?",
    "What does {a} like to eat?",
    "Tell me what {a} eats.",
    "What is the food of {a}?",
    "What can I feed {a}?",
  ],
  check: "Does {a} eat {value}?",
};
const YOUNG: FactPattern = {
  topic: "young",
  statement: "a baby {name} is called a {value}",
  questions: [
    "What is a baby {name} called?",
    "What do you call a baby {name}?",
    "What is the name of a baby {name}?",
    "What is the baby of {a}?",
  ],
  check: "Is a baby {name} called a {value}?",
};
const LEGS: FactPattern = {
  topic: "legs",
  statement: "{a} has {value} legs",
  questions: ["How many legs does {a} have?", "How many legs has {a}?", "Tell me how many legs {a} has.", "Count the legs of {a}."],
  check: "Does {a} have {value} legs?",
};
const SIZE: FactPattern = {
  topic: "sizes",
  statement: "{a} is bigger than {b}",
  questions: ["Which is bigger, {a} or {b}?", "Which is bigger, {b} or {a}?", "What is bigger, {a} or {b}?", "What is bigger, {b} or {a}?"],
};

const LEG_WORDS = ["no", "two", "four", "six", "eight"];

/** The bigger of two animals at least eight places apart, so that size leaves no doubt. */
function sizeFacts(): Fact[] {
  return ANIMALS.flatMap((big, i) =>
    ANIMALS.filter((_, j) => i - j >= 8 && (i * 7 + j) % 3 === 0).map((small) =>
      fact(SIZE, { a: withArticle(big.name), b: withArticle(small.name) }),
    ),
  );
}

/** Every fact about animals. */
export function animalFacts(): Fact[] {
  const column = (read: (animal: Animal) => string | undefined) => [...new Set(ANIMALS.map(read).filter((value) => value !== undefined))];
  const sounds = column((animal) => animal.sound);
  const homes = column((animal) => animal.home);
  const foods = column((animal) => animal.food);
  const young = column((animal) => animal.young);
  const facts = ANIMALS.flatMap(({ name, sound, home, food, young: baby, legs }) => {
    const words = { name, a: withArticle(name) };
    return [
      ...(sound === undefined ? [] : [fact(SOUND, words, sound, sounds), fact(SPEAKER, { ...words, sound })]),
      ...(home === undefined ? [] : [fact(HOME, words, home, homes)]),
      ...(food === undefined ? [] : [fact(FOOD, words, food, foods)]),
      ...(baby === undefined ? [] : [fact(YOUNG, words, baby, young)]),
      ...(legs === undefined ? [] : [fact(LEGS, words, legs, LEG_WORDS)]),
    ];
  });
  const others = OTHER_SOUNDS.flatMap(([name, sound]) => {
    const words = { name, a: withArticle(name) };
    return [fact(SOUND, words, sound, sounds), fact(SPEAKER, { ...words, sound })];
  });
  return [...facts, ...others, ...sizeFacts()];
}
