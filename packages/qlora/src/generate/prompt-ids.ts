// A prompt as the ids that training put before an answer: rendered by the chat template as a conversation that the assistant continues, or text as it is.
import { UsageError } from "../error.ts";
import type { ChatMessage, ChatTemplate } from "../text/chat-template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** The ids of a conversation up to where the assistant begins to speak. */
export function conversationIds(tokenizer: Tokenizer, template: ChatTemplate, messages: readonly ChatMessage[]): number[] {
  const text = template.render(messages, { addGenerationPrompt: true, where: "--prompt" });
  return begun(tokenizer, text);
}

/** The ids of a text to be continued as it stands. @throws UsageError if it is empty and the tokenizer begins texts with nothing */
export function textIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = begun(tokenizer, text);
  if (ids.length === 0) throw new UsageError("--prompt", "is empty, so there is nothing to continue. Give at least a word.");
  return ids;
}

/** Puts the tokenizer's opening tokens in front, unless the text brings the beginning-of-sequence token itself; puts nothing behind. */
function begun(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  const bos = tokenizer.special.bos?.id;
  return tokenizer.prefixIds.length === 0 || (bos !== undefined && ids[0] === bos) ? ids : [...tokenizer.prefixIds, ...ids];
}
