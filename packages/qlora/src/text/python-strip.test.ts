import { describe, expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.ts";

const rendered = (expression: string, content: string) => new ChatTemplate(`{{ ${expression} }}`).render([{ role: "user", content }]);

describe("strip, lstrip and rstrip in a template", () => {
  it.each([
    ["messages[0].content.strip()", " \n a b\t", "a b"],
    ["messages[0].content.strip('\\n')", "\n a \n\n", " a "],
    ["messages[0].content.lstrip('\\n')", "\n\n a\n", " a\n"],
    ["messages[0].content.rstrip('\\n ')", "\na \n \n", "\na"],
    ["messages[0].content.split('|')[-1].lstrip('x').rstrip('y')", "a|xxbyy", "b"],
    ["messages[0].content.strip(bos_token)", "abc", "abc"],
    ["messages[0].content.strip()", "\u0085\u001ca\ufeff", "a\ufeff"],
  ])("%s of %j is %j, as in Python", (expression, content, expected) => {
    expect(rendered(expression, content)).toBe(expected);
  });

  it("is refused on what is no text", () => {
    expect(() => rendered("messages.strip('a')", "a")).toThrow(/refuses these messages/);
  });
});
