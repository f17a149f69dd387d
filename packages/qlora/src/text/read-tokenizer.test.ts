import { FormatError } from "@qlora-js/core";
import { describe, expect, it } from "vitest";
import { memoryFolder } from "../formats/folder.ts";
import { ChatTemplate } from "./chat-template.ts";
import { readTokenizerFiles } from "./read-tokenizer.ts";
import { byteLevelFiles } from "./samples.fixture.ts";
import { Tokenizer } from "./tokenizer.ts";

const folder = (files: Record<string, unknown>) =>
  memoryFolder(
    new Map(
      Object.entries(files).map(([name, content]) => [
        name,
        content instanceof Uint8Array ? content : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content)),
      ]),
    ),
    "model",
  );
const { tokenizer, config } = byteLevelFiles(["<a>", "<b>"], { eos_token: "<a>", chat_template: "in the config" });

describe("readTokenizerFiles", () => {
  it("reads what is there and makes a tokenizer and a template of it", async () => {
    const files = await readTokenizerFiles(
      folder({
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": config,
        "special_tokens_map.json": { pad_token: "<b>" },
        "generation_config.json": { eos_token_id: [1] },
        "config.json": {},
        "chat_template.jinja": "in the file",
      }),
    );
    const made = Tokenizer.from(files!);
    expect([made.special.eos?.id, made.special.pad?.id, made.stopIds]).toEqual([0, 1, [1, 0]]);
    expect(ChatTemplate.from(files!, made.special)?.source).toBe("in the file");
  });

  it("needs tokenizer.json alone, and finds nothing without it", async () => {
    const files = await readTokenizerFiles(folder({ "tokenizer.json": tokenizer }));
    expect(Tokenizer.from(files!).special).toEqual({});
    expect(await readTokenizerFiles(folder({ "tokenizer_config.json": config }))).toBeUndefined();
  });

  it("names the file that is broken, with its folder", async () => {
    const broken = readTokenizerFiles(folder({ "tokenizer.json": tokenizer, "tokenizer_config.json": "{" }));
    await expect(broken).rejects.toThrow(FormatError);
    await expect(broken).rejects.toMatchObject({ file: "model/tokenizer_config.json" });
    const latin = readTokenizerFiles(folder({ "tokenizer.json": tokenizer, "chat_template.jinja": Uint8Array.of(0xe9) }));
    await expect(latin).rejects.toMatchObject({ file: "model/chat_template.jinja" });
    const wrong = await readTokenizerFiles(folder({ "tokenizer.json": { model: 3 } }));
    expect(() => Tokenizer.from(wrong!)).toThrow(expect.objectContaining({ file: "model/tokenizer.json" }));
  });
});
