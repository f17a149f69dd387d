// Numbers from nought to twenty in words and figures: sums, differences, neighbours, which is bigger.
import { type Fact, type FactPattern, fact } from "../fact.ts";
import { orderFacts } from "./order.ts";

/** The number words, by value. */
export const NUMBERS = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
  "thirteen",
  "fourteen",
  "fifteen",
  "sixteen",
  "seventeen",
  "eighteen",
  "nineteen",
  "twenty",
] as const;

const SUM: FactPattern = {
  topic: "sums",
  statement: "{a} plus {b} is {value}",
  questions: ["What is {a} plus {b}?", "How much is {a} plus {b}?", "Add {a} and {b}.", "What is {a} and {b}?"],
  check: "Is {a} plus {b} {value}?",
};
const SUM_FIGURES: FactPattern = {
  topic: "sums in figures",
  statement: "{a} + {b} = {value}",
  questions: ["What is {a} + {b}?", "{a} + {b} = ?", "How much is {a} + {b}?"],
};
const DIFFERENCE: FactPattern = {
  topic: "differences",
  statement: "{a} minus {b} is {value}",
  questions: ["What is {a} minus {b}?", "How much is {a} minus {b}?", "Take {b} from {a}."],
  check: "Is {a} minus {b} {value}?",
};
const DIFFERENCE_FIGURES: FactPattern = {
  topic: "differences in figures",
  statement: "{a} - {b} = {value}",
  questions: ["What is {a} - {b}?", "{a} - {b} = ?", "How much is {a} - {b}?"],
};
const BIGGER: FactPattern = {
  topic: "bigger numbers",
  statement: "{a} is bigger than {b}",
  questions: [
    "Which is bigger, {a} or {b}?",
    "Which is bigger, {b} or {a}?",
    "Which number is bigger, {a} or {b}?",
    "Which number is bigger, {b} or {a}?",
  ],
};
const SMALLER: FactPattern = {
  topic: "smaller numbers",
  statement: "{b} is smaller than {a}",
  questions: ["Which is smaller, {a} or {b}?", "Which is smaller, {b} or {a}?"],
};

/** Every sum and difference of whole numbers that stays from 0 to 20 with a second number up to 10, their neighbours, and comparisons. */
export function numberFacts(): Fact[] {
  const facts: Fact[] = [...orderFacts("number", NUMBERS, false)];
  for (const [i, large] of NUMBERS.entries()) {
    for (const [j, small] of NUMBERS.entries()) {
      const total = NUMBERS[i + j];
      const near = NUMBERS.slice(Math.max(0, i + j - 2), i + j + 3);
      if (total !== undefined && i <= 10 && j <= 10) {
        facts.push(fact(SUM, { a: large, b: small }, total, near), fact(SUM_FIGURES, { a: `${i}`, b: `${j}` }, `${i + j}`));
      }
      if (j > i) continue;
      const rest = NUMBERS[i - j]!;
      if (i <= 10)
        facts.push(
          fact(DIFFERENCE, { a: large, b: small }, rest, NUMBERS.slice(Math.max(0, i - j - 2), i - j + 3)),
          fact(DIFFERENCE_FIGURES, { a: `${i}`, b: `${j}` }, `${i - j}`),
        );
      if (j < i) facts.push(fact(BIGGER, { a: large, b: small }), fact(SMALLER, { a: large, b: small }));
    }
  }
  return facts;
}
