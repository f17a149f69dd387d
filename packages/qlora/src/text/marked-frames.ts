// The rendering with marks: each answer is replaced by a mark no text contains, and what the template wrote between the marks (the frames) is kept.
// The real rendering is then frame, answer, frame, answer, …, frame; a template that trims or otherwise changes an answer still has its frames.
import type { ChatMessage } from "./chat-template.ts";
import type { TextSpan } from "./encode-spans.ts";

/** What the template writes around the answers, and the answers it was given. */
export interface MarkedFrames {
  /** One more than there are answers. */
  readonly frames: readonly string[];
  readonly answers: readonly Answer[];
}

interface Answer {
  /** A reasoning block at the head of the answer, kept when the rest is marked: templates look into it (Qwen3 drops it from earlier turns). */
  readonly reasoning: string;
  readonly rest: string;
}

const REASONING_END = "</think>";
const FIRST_PRIVATE_USE = 0xe000;
const LAST_PRIVATE_USE = 0xf8ff;

/**
 * Renders with marks in place of the answers.
 * @param text The real rendering: a mark is made of a character it does not contain.
 * @returns undefined if the template refuses the marks, or writes one of them twice or not at all.
 */
export function markedFrames(
  messages: readonly ChatMessage[],
  turns: readonly number[],
  text: string,
  render: (messages: readonly ChatMessage[]) => string | undefined,
): MarkedFrames | undefined {
  const letter = unusedLetter(text + JSON.stringify(messages));
  if (letter === undefined) return undefined;
  const mark = (turn: number): string => `${letter}${turn}${letter}`;
  const answers = turns.map((turn) => splitReasoning(messages[turn]?.content ?? ""));
  const marked = messages.map((message, index) => {
    const answer = answers[turns.indexOf(index)];
    return answer ? { ...message, content: answer.reasoning + mark(index) } : message;
  });
  let rest = render(marked);
  const frames: string[] = [];
  for (const turn of turns) {
    const [before, after, ...more]: string[] = rest?.split(mark(turn)) ?? [];
    if (before === undefined || after === undefined || more.length > 0) return undefined;
    frames.push(before);
    rest = after;
  }
  return rest === undefined ? undefined : { frames: [...frames, rest], answers };
}

/** Where the answers are in the real rendering, or undefined if it does not show the same frames or an answer could end in more than one place. */
export function contentsBetweenFrames(text: string, { frames, answers }: MarkedFrames): TextSpan[] | undefined {
  const spans: TextSpan[] = [];
  let position = 0;
  for (const [i, { reasoning, rest }] of answers.entries()) {
    const before = frames[i] ?? "";
    const after = frames[i + 1] ?? "";
    if (!text.startsWith(before, position)) return undefined;
    const start = position + before.length;
    const end = endOfAnswer(text, start, rest, after, i === answers.length - 1);
    if (end === undefined) return undefined;
    const head = text.startsWith(reasoning, start - reasoning.length) && before.length >= reasoning.length ? reasoning.length : 0;
    spans.push({ start: start - head, end });
    position = end;
  }
  return spans;
}

function endOfAnswer(text: string, start: number, answer: string, after: string, last: boolean): number | undefined {
  const fits = (end: number): boolean => text.startsWith(after, end) && (!last || end + after.length === text.length);
  const asWritten = [answer, answer.trim(), answer.trimStart(), answer.trimEnd()].find(
    (variant) => text.startsWith(variant, start) && fits(start + variant.length),
  );
  if (asWritten !== undefined) return start + asWritten.length;
  // The template changed the answer. What follows tells the end, if nothing in the answer looks like it.
  if (answer.includes(after)) return undefined;
  const end = last ? text.length - after.length : text.indexOf(after, start);
  return end >= start && fits(end) ? end : undefined;
}

function splitReasoning(content: string): Answer {
  const at = content.lastIndexOf(REASONING_END);
  const cut = at < 0 ? 0 : at + REASONING_END.length;
  return { reasoning: content.slice(0, cut), rest: content.slice(cut) };
}

/** A character that the text does not have, for marks in it. */
export function unusedLetter(text: string): string | undefined {
  for (let code = FIRST_PRIVATE_USE; code <= LAST_PRIVATE_USE; code++) {
    const letter = String.fromCharCode(code);
    if (!text.includes(letter)) return letter;
  }
  return undefined;
}
