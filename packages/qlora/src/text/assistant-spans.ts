// Which characters of a rendered conversation the assistant has to say: the ones the loss is on. Some templates mark it ({% generation %}); the others do not
// tell, and it is found out by rendering.
// First way: render once with a private-use mark in place of each answer; what stands between the marks is the template's, and the real rendering must show
// the same. Second way, where a template does not bear the mark: the difference between the rendering up to a turn and through it. A span begins where the
// generation prompt ends (all that generation is not given is the model's to say) and reaches over the end-of-turn token and the line end behind it; that of
// an answer which ends the conversation reaches over all the template writes behind it. So do the completions of TRL, whose labels are the same.
import { UsageError } from "../error.ts";
import type { ChatMessage, ChatTemplate } from "./chat-template.ts";
import type { TextSpan } from "./encode-spans.ts";
import { contentsBetweenFrames, markedFrames, unusedLetter } from "./marked-frames.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A rendered conversation and the assistant's part of it. */
export interface RenderedChat {
  readonly text: string;
  /** In order: a span for each message of the assistant, with its end-of-turn token and without the role's header; or the template's own, where it has them. */
  readonly spans: readonly TextSpan[];
  /** How the spans were found. */
  readonly method: "template" | "marks" | "differences";
}

/** The tokens that may end a turn. */
export type EndTokens = Pick<Tokenizer, "stopIds" | "addedTokens" | "idToToken">;

/**
 * Renders a conversation and finds the assistant's turns in it.
 * @param where What an error names.
 * @throws UsageError if the template refuses the messages, or if the turns cannot be told from what the template writes around them.
 */
export function assistantSpans(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  tokens: EndTokens,
  where = "chat template",
): RenderedChat {
  const text = template.render(messages, { where });
  if (template.marksGeneration) return { text, spans: generationSpans(template, messages, text, where), method: "template" };
  const turns = messages.flatMap((message, index) => (message.role === "assistant" ? [index] : []));
  const chat: Chat = { template, messages, turns, text };
  const contents = byMarks(chat);
  const method = contents ? "marks" : "differences";
  const found =
    contents?.map((content, i) => ({ start: startOfTurn(chat, turns[i] ?? 0, content), end: content.end })) ?? byDifferences(chat, tokens);
  const spans = found?.map((span, i) => ({ start: span.start, end: endOfTurn(chat, span.end, turns[i] === messages.length - 1, tokens) }));
  if (!spans?.every((span, i) => span.start >= (spans[i - 1]?.end ?? 0) && span.end >= span.start)) {
    const what =
      "the assistant's turns cannot be told from what the chat template writes around them. Give the rows as input_ids + labels, or another template.";
    throw new UsageError(where, what, { turns: turns.length });
  }
  return { text, spans, method };
}

interface Chat {
  readonly template: ChatTemplate;
  readonly messages: readonly ChatMessage[];
  /** Indices of the assistant's messages. */
  readonly turns: readonly number[];
  readonly text: string;
}

/** What stands between the template's own marks; pieces that meet are one. */
function generationSpans(template: ChatTemplate, messages: readonly ChatMessage[], text: string, where: string): TextSpan[] {
  const mark = unusedLetter(text + JSON.stringify(messages));
  const parts = mark === undefined ? [] : template.render(messages, { where, generationMark: mark }).split(mark);
  if (parts.length % 2 === 0 || parts.join("") !== text)
    throw new UsageError(
      where,
      "the chat template's {% generation %} marks do not stand in pairs around text that it writes. Give another template.",
      {},
    );
  const spans: { start: number; end: number }[] = [];
  let position = 0;
  for (const [i, part] of parts.entries()) {
    const end = position + part.length;
    const last = spans.at(-1);
    if (i % 2 === 1 && part !== "") {
      if (last?.end === position) last.end = end;
      else spans.push({ start: position, end });
    }
    position = end;
  }
  return spans;
}

function byMarks({ template, messages, turns, text }: Chat): TextSpan[] | undefined {
  const marked = markedFrames(messages, turns, text, (changed) => attempt(() => template.render(changed)));
  return marked && contentsBetweenFrames(text, marked);
}

/** The start of a turn whose content is known: where the generation prompt ends, unless the template's generation prompt is no use. */
function startOfTurn(chat: Chat, turn: number, content: TextSpan): number {
  const prompt = prefixThrough(chat, turn, true);
  if (prompt === undefined || !chat.text.startsWith(prompt) || prompt.length > content.end) return content.start;
  if (prompt.length >= content.start) return prompt.length;
  // Something stands between prompt and content: an empty reasoning block or a space, which the model says; or the role's header, which it does not,
  // in templates that ignore add_generation_prompt.
  const between = chat.text.slice(prompt.length, content.start);
  return between.trim() === "" || prefixThrough(chat, turn, false) !== prompt ? prompt.length : content.start;
}

function byDifferences(chat: Chat, tokens: EndTokens): TextSpan[] | undefined {
  const stops = stopTokens(tokens);
  const spans: TextSpan[] = [];
  for (const turn of chat.turns) {
    const prompt = prefixThrough(chat, turn, true);
    const through = prefixThrough(chat, turn + 1, false);
    if (prompt === undefined || through === undefined || prompt === prefixThrough(chat, turn, false)) return undefined;
    if (!chat.text.startsWith(prompt) || !chat.text.startsWith(through)) return undefined;
    const said = through.slice(prompt.length);
    const ends = stops.map((stop) => said.lastIndexOf(stop)).filter((at) => at >= 0);
    spans.push({ start: prompt.length, end: prompt.length + (ends.length > 0 ? Math.max(...ends) : said.trimEnd().length) });
  }
  return spans;
}

/** The end of a turn through its end token and a line end; or the text's end, where the turn is the last and only tokens and white space follow. */
function endOfTurn({ text }: Chat, contentEnd: number, last: boolean, tokens: EndTokens): number {
  const end = throughEndToken(text, contentEnd, tokens);
  if (last && withoutTokens(text.slice(end), tokens).trim() === "") return text.length;
  return text[end] === "\n" ? end + 1 : end;
}

/** The end of a turn that ends with a token: a stop token, perhaps after spaces, or any added token that follows at once. */
function throughEndToken(text: string, end: number, tokens: EndTokens): number {
  const spaces = /^\s*/.exec(text.slice(end))?.[0].length ?? 0;
  const longestAt = (candidates: Iterable<string>, position: number): number =>
    Math.max(0, ...[...candidates].filter((token) => token !== "" && text.startsWith(token, position)).map((token) => token.length));
  const stop = longestAt(stopTokens(tokens), end + spaces);
  return stop > 0 ? end + spaces + stop : end + longestAt(tokens.addedTokens.values(), end);
}

const withoutTokens = (text: string, tokens: EndTokens): string =>
  [...tokens.addedTokens.values()].filter((token) => token !== "").reduce((rest, token) => rest.replaceAll(token, ""), text);

const stopTokens = (tokens: EndTokens): string[] => tokens.stopIds.map((id) => tokens.idToToken(id) ?? "").filter((token) => token !== "");

const prefixThrough = ({ template, messages }: Chat, count: number, addGenerationPrompt: boolean): string | undefined =>
  attempt(() => template.render(messages.slice(0, count), { addGenerationPrompt }));

/** A rendering, or undefined where the template refuses it: parts of a conversation need not be conversations. */
function attempt(render: () => string): string | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
