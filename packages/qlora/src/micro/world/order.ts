// What comes before and after (days, months, seasons), and opposites, each asked in both directions.
import { type Fact, type FactPattern, fact } from "../fact.ts";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const SEASONS = ["spring", "summer", "autumn", "winter"];

const OPPOSITES: readonly (readonly [string, string])[] = [
  ["hot", "cold"],
  ["big", "small"],
  ["up", "down"],
  ["day", "night"],
  ["happy", "sad"],
  ["fast", "slow"],
  ["old", "young"],
  ["wet", "dry"],
  ["open", "closed"],
  ["full", "empty"],
  ["light", "dark"],
  ["black", "white"],
  ["early", "late"],
  ["left", "right"],
  ["loud", "quiet"],
  ["hard", "soft"],
  ["high", "low"],
  ["long", "short"],
  ["near", "far"],
  ["clean", "dirty"],
  ["rich", "poor"],
  ["strong", "weak"],
  ["good", "bad"],
  ["sweet", "sour"],
  ["in", "out"],
  ["thick", "thin"],
  ["first", "last"],
  ["start", "end"],
];

const TOTALS: readonly (readonly [string, string, string])[] = [
  ["days", "a week", "seven"],
  ["months", "a year", "twelve"],
  ["seasons", "a year", "four"],
  ["hours", "a day", "twenty-four"],
  ["minutes", "an hour", "sixty"],
];

const AFTER: FactPattern = {
  topic: "order",
  statement: "after {name} comes {value}",
  questions: [
    "What comes after {name}?",
    "Which {kind} comes after {name}?",
    "What {kind} comes after {name}?",
    "Which {kind} follows {name}?",
  ],
};
const BEFORE: FactPattern = {
  topic: "order",
  statement: "before {name} comes {value}",
  questions: ["What comes before {name}?", "Which {kind} comes before {name}?", "What {kind} comes before {name}?"],
};
const OPPOSITE: FactPattern = {
  topic: "opposites",
  statement: "the opposite of {word} is {value}",
  questions: [
    "What is the opposite of {word}?",
    "Tell me the opposite of {word}.",
    "Which word is the opposite of {word}?",
    "Name the opposite of {word}.",
  ],
  check: "Is {value} the opposite of {word}?",
};
const TOTAL: FactPattern = {
  topic: "totals",
  statement: "{whole} has {value} {parts}",
  questions: ["How many {parts} does {whole} have?", "How many {parts} are in {whole}?", "Tell me how many {parts} {whole} has."],
};

/** Neighbours in a list. A `ring` goes round: Monday comes after Sunday. */
export function orderFacts(kind: string, names: readonly string[], ring: boolean): Fact[] {
  return names.flatMap((name, i) => {
    const after = names[i + 1] ?? (ring ? names[0] : undefined);
    const before = names[i - 1] ?? (ring ? names.at(-1) : undefined);
    return [
      ...(after === undefined ? [] : [fact(AFTER, { name, kind }, after, names)]),
      ...(before === undefined ? [] : [fact(BEFORE, { name, kind }, before, names)]),
    ];
  });
}

/** Every fact about order, opposites and how many parts a whole has. */
export function wordFacts(): Fact[] {
  const words = OPPOSITES.flat();
  return [
    ...orderFacts("day", DAYS, true),
    ...orderFacts("month", MONTHS, true),
    ...orderFacts("season", SEASONS, true),
    ...OPPOSITES.flatMap(([a, b]) => [fact(OPPOSITE, { word: a }, b, words), fact(OPPOSITE, { word: b }, a, words)]),
    ...TOTALS.map(([parts, whole, total]) => fact(TOTAL, { parts, whole }, total)),
  ];
}
