import { describe, expect, it } from "vitest";
import { factLines } from "./fact-lines.ts";

describe("facts", () => {
  it("stand on one line where there is room", () => {
    expect(factLines("tokens", "p50 32 · max 46", 80)).toEqual(["  tokens    p50 32 · max 46"]);
    expect(factLines("memory", "a ".repeat(200).trim(), Number.POSITIVE_INFINITY)).toHaveLength(1);
  });

  it("go on below one another, broken between two of them", () => {
    expect(factLines("memory", "weights 54.8 MB · embeddings 56.8 MB · loss 2 MB", 40)).toEqual([
      "  memory    weights 54.8 MB ·",
      "            embeddings 56.8 MB ·",
      "            loss 2 MB",
    ]);
  });

  it("fill a line to its last column", () => {
    expect(factLines("n", "12345 · 12345", 25)).toEqual(["  n         12345 · 12345"]);
    expect(factLines("n", "12345 · 12345", 24)).toEqual(["  n         12345 ·", "            12345"]);
  });

  it("keep commands whole, each on its own line, without what stood between them", () => {
    expect(factLines("next", "qlora chat run   |   qlora eval run data", 30)).toEqual([
      "  next      qlora chat run",
      "            qlora eval run data",
    ]);
    expect(factLines("next", "qlora chat a/very/long/name/of/a/run", 30)).toEqual(["  next      qlora chat a/very/long/name/of/a/run"]);
  });

  it("are measured without their colours", () => {
    const green = "\u001b[32mgreen\u001b[39m";
    expect(factLines("n", `${green} · ${green}`, 25)).toEqual([`  n         ${green} · ${green}`]);
  });
});
