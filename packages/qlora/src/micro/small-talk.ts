// Conversation that needs no knowledge of the world: greetings, one's own name, spelling, counting.
import { choose, inventName } from "./draw.ts";
import { type Below, capital } from "./fact.ts";
import { ANIMALS } from "./world/animals.ts";
import { NUMBERS } from "./world/numbers.ts";
import { PEOPLE } from "./world/people.ts";

/** A question and its answer. */
export type Exchange = readonly [question: string, answer: string];

/** What is said about the model itself and to be polite: ways to ask, and the one answer. */
const SAYINGS: readonly (readonly [questions: readonly string[], answer: string])[] = [
  [["Hello!", "Hello", "Hi!", "Hi there!", "Good day!", "Hey!"], "Hello! What do you want to know?"],
  [["Good morning!", "Good morning"], "Good morning! What do you want to know?"],
  [["Who are you?", "What are you?", "Tell me who you are.", "What is your name?"], "I am a very small language model."],
  [["How are you?", "Are you well?", "How do you feel?"], "I am well, thank you."],
  [["Thank you!", "Thank you", "Thanks!", "Thank you for your help."], "You are welcome."],
  [["Goodbye!", "Bye!", "See you!", "Good night!"], "Goodbye! See you soon."],
  [["What can you do?", "How can you help me?", "What do you know?"], "I can answer small questions and tell little stories."],
  [["Can you help me?", "Please help me.", "I have a question."], "Yes, I can help you. What do you want to know?"],
  [["Are you a pirate?", "Are you a person?", "Are you a dog?", "Are you old?"], "No, I am a very small language model."],
  [["Are you a language model?", "Are you small?"], "Yes, I am a very small language model."],
];

/** A greeting, a thank-you, a question about the model itself. */
export function pleasantry(draw: Below): Exchange[] {
  const [questions, answer] = choose(draw, SAYINGS);
  return [[choose(draw, questions), answer]];
}

/** Somebody says a name and asks for it again: only copying answers this. */
export function introduction(draw: Below): Exchange[] {
  const name = choose(draw, [inventName(draw), inventName(draw), choose(draw, PEOPLE).name]);
  return [
    [
      choose(draw, [`My name is ${name}.`, `I am ${name}.`, `Hello, I am ${name}.`, `Hello! My name is ${name}.`]),
      `Hello, ${name}! What do you want to know?`,
    ],
    [choose(draw, ["What is my name?", "Who am I?", "Tell me my name.", "Do you know my name?"]), `Your name is ${name}.`],
  ];
}

/** Letters of a word; single letters are hardly seen anywhere else. */
export function spelling(draw: Below): Exchange[] {
  const word = choose(draw, [choose(draw, ANIMALS).name, choose(draw, NUMBERS), inventName(draw), choose(draw, PEOPLE).name]);
  const letters = [...word];
  return [
    choose(draw, [
      [choose(draw, [`How do you spell ${word}?`, `Spell ${word}.`, `Please spell the word ${word}.`]), `${letters.join("-")}.`],
      [
        choose(draw, [`What is the first letter of ${word}?`, `Which letter comes first in ${word}?`]),
        `The first letter of ${word} is ${letters[0]}.`,
      ],
      [
        choose(draw, [`What is the last letter of ${word}?`, `Which letter comes last in ${word}?`]),
        `The last letter of ${word} is ${letters.at(-1)}.`,
      ],
    ] as const),
  ];
}

/** Numbers in a row, upwards or downwards. */
export function counting(draw: Below): Exchange[] {
  const from = draw(16);
  const row = NUMBERS.slice(from, from + 3 + draw(4));
  const list = (words: readonly string[]) => `${capital(words.join(", "))}.`;
  const [first, last] = [row[0]!, row.at(-1)!];
  return [
    choose(draw, [
      [choose(draw, [`Count from ${first} to ${last}.`, `Please count from ${first} to ${last}.`]), list(row)],
      [choose(draw, [`Count down from ${last} to ${first}.`, `Count from ${last} to ${first}.`]), list(row.toReversed())],
    ] as const),
  ];
}
