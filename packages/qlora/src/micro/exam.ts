// What the micro model should know, as an exam: every fact of the closed world asked once, in a wording that training used too.
import type { Fact } from "./fact.ts";
import { sentence } from "./fact.ts";
import { allFacts } from "./world/facts.ts";

/** A question with the only right answer. */
export interface ExamQuestion {
  readonly topic: string;
  readonly question: string;
  readonly answer: string;
}

/** One question a fact, the wordings taking turns; about 1,500, in a fixed order. */
export function microExam(): ExamQuestion[] {
  return allFacts().map(({ topic, questions, statement }: Fact, i) => ({
    topic,
    question: questions[i % questions.length]!,
    answer: sentence(statement),
  }));
}
