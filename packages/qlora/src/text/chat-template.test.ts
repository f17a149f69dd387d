import { FormatError } from "@qlora-js/core";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { ChatTemplate } from "./chat-template.ts";
import { byteLevelFiles, chatml, gemma, llama3 } from "./samples.fixture.ts";

const hi = [{ role: "user", content: "hi" }];

describe("ChatTemplate", () => {
  it("renders a conversation, with the header of the next turn on request", () => {
    const { template } = chatml();
    const text = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n";
    expect(template.render(hi)).toBe(text);
    expect(template.render(hi, { addGenerationPrompt: true })).toBe(`${text}<|im_start|>assistant\n`);
  });

  it("shows the same date every day, or the date it is given", () => {
    const { template, tokenizer } = llama3();
    expect(template.render(hi)).toContain("Today Date: 26 Jul 2024");
    expect(new ChatTemplate(template.source, tokenizer.special, new Date(Date.UTC(2025, 0, 2))).render(hi)).toContain(
      "Today Date: 02 Jan 2025",
    );
  });

  it("keeps a line end at the template's beginning", () => {
    expect(new ChatTemplate("\nx").render([])).toBe("\nx");
  });

  it("gives the template the special tokens and no tools", () => {
    const template = new ChatTemplate("{{ bos_token }}|{{ eos_token }}|{{ tools is none }}|{{ documents is none }}", {
      bos: { text: "<s>", id: 0 },
    });
    expect(template.render([])).toBe("<s>||true|true");
  });

  it("passes further keys of a message on", () => {
    const template = new ChatTemplate("{% for m in messages %}{{ m.name }}: {{ m.content }}{% endfor %}");
    expect(template.render([{ role: "user", content: "hi", name: "Ada" }])).toBe("Ada: hi");
  });

  it("names the row and the roles when the template refuses them", () => {
    const { template } = gemma();
    const messages = [{ role: "system", content: "x" }, ...hi];
    const refused = () => template.render(messages, { where: "train.jsonl line 7" });
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(expect.objectContaining({ where: "train.jsonl line 7", fields: { roles: ["system", "user"] } }));
    expect(refused).toThrow(/System role not supported/);
  });

  it("is the folder's: the file before the config, and the one named default of several", () => {
    const from = (chat_template: unknown, chatTemplate?: string) =>
      ChatTemplate.from(byteLevelFiles(["<a>"], { chat_template }, chatTemplate === undefined ? {} : { chatTemplate }), {});
    const named = ["tool_use", "default"].map((name) => ({ name, template: `${name}!` }));
    expect(from("in the config")?.source).toBe("in the config");
    expect(from("in the config", "in the file")?.source).toBe("in the file");
    expect(from(named)?.source).toBe("default!");
    expect(from(named.slice(0, 1))?.source).toBe("tool_use!");
    expect(from(undefined)).toBeUndefined();
    expect(from(null)).toBeUndefined();
    expect(() => from([...named.slice(0, 1), { name: "rag", template: "" }])).toThrow(FormatError);
  });

  it("refuses a template it cannot parse", () => {
    expect(() => new ChatTemplate("{% if %}")).toThrow(FormatError);
  });

  it.each([
    ["{{ range(3) | join(' ') }}", "0 1 2"],
    ["{{ range(2, 5) | join(' ') }}", "2 3 4"],
    ["{{ range(5, 0, -2) | join(' ') }}", "5 3 1"],
    ["{% for i in range(0) %}x{% endfor %}", ""],
    ["{% set last = messages | length - 1 %}{{ range(last, -1, -1) | join(' ') }}", "0"],
  ])("counts with range as Jinja does: %s", (source, expected) => {
    expect(new ChatTemplate(source).render([{ role: "user", content: "hi" }])).toBe(expected);
  });

  it("ends with an error for one that would take for ever", () => {
    const source = "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}{% endmacro %}{{ f(200) }}";
    const render = () => new ChatTemplate(source).render([{ role: "user", content: "hi" }]);
    expect(render).toThrow(UsageError);
  });

  it("renders a conversation of two thousand long turns", () => {
    const messages = Array.from({ length: 2000 }, (_, i) => ({ role: i % 2 ? "assistant" : "user", content: "word ".repeat(200) }));
    const source =
      "{% for m in messages %}{% if messages[loop.index0 - 1].role != m.role %}<{{ m.role }}>{{ m.content | trim }}\n{% endif %}{% endfor %}";
    expect(new ChatTemplate(source).render(messages).length).toBeGreaterThan(2_000_000);
  });

  it("refuses a range that would fill the memory", () => {
    const render = () => new ChatTemplate("{% for i in range(10 ** 12) %}x{% endfor %}").render([{ role: "user", content: "hi" }]);
    expect(render).toThrow(/range\(\) of 1000000000000 numbers, where 100000 are allowed/);
  });

  it("writes a mark where the template says that the assistant speaks, and else nothing", () => {
    const source =
      "{%- for m in messages %}\n  {{- m.role + ':' }}\n  {%- if m.role == 'assistant' %}\n    {%- generation %}\n    {{- m.content }}\n    {%- endgeneration %}\n  {%- endif %}\n{%- endfor %}";
    const template = new ChatTemplate(source);
    const messages = [...hi, { role: "assistant", content: "ho" }];
    expect([template.marksGeneration, chatml().template.marksGeneration]).toEqual([true, false]);
    expect(template.render(messages)).toBe("user:assistant:ho");
    expect(template.render(messages, { generationMark: "|" })).toBe("user:assistant:|ho|");
  });
});
