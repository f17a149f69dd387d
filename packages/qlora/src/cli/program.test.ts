import { expect, it } from "vitest";
import { createProgram } from "./program.ts";

const actionsOf = async (...words: string[]): Promise<string[]> => (await createProgram(words)).commands.map((command) => command.name());

it("loads the action that is asked for, and all where none is", async () => {
  expect(await actionsOf("plan", "llama-65b")).toEqual(["plan"]);
  expect(await actionsOf("help", "inspect")).toEqual(["inspect"]);
  expect(await actionsOf("--version")).toEqual([]);
  const all = await actionsOf("--help");
  expect(all).toContain("train");
  expect(await actionsOf()).toEqual(all);
  expect(await actionsOf("trian")).toEqual(all);
  expect(await actionsOf("toString")).toEqual(all);
});
