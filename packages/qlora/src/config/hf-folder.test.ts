import { expect, test } from "vitest";
import { memoryFolder } from "../formats/folder.ts";
import { textFileNames, textFiles } from "./hf-folder.ts";

test("the files for text are named where they are there", () => {
  const folder = memoryFolder(new Map(["config.json", "tokenizer.json", "chat_template.jinja"].map((name) => [name, new Uint8Array(0)])));
  expect(textFiles(folder)).toEqual({
    tokenizer: "tokenizer.json",
    tokenizerConfig: undefined,
    specialTokens: undefined,
    chatTemplate: "chat_template.jinja",
  });
  expect(textFileNames(folder)).toEqual(["tokenizer.json", "chat_template.jinja"]);
});
