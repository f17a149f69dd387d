import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hubNameText, isSafePath, parseHubName } from "./hub-name.ts";

describe("a name on a hub", () => {
  it("is org/name, perhaps with a path and a revision", () => {
    expect(parseHubName("HuggingFaceTB/SmolLM2-135M")).toEqual({
      repository: "HuggingFaceTB/SmolLM2-135M",
      path: undefined,
      revision: undefined,
    });
    expect(parseHubName("a/b@v1.0")).toEqual({ repository: "a/b", path: undefined, revision: "v1.0" });
    expect(parseHubName("a/b_c.d/data/train.jsonl@refs/pr/1")).toEqual({
      repository: "a/b_c.d",
      path: "data/train.jsonl",
      revision: "refs/pr/1",
    });
  });

  it("is no path of a machine, and leads nowhere else", () => {
    for (const text of [
      "",
      "name",
      "./a/b",
      "../a/b",
      "/a/b",
      "~/a",
      "a//b",
      "a/b/",
      "a/b/../c",
      "a/..",
      "a/b@",
      "a/b@../x",
      "a/b@x/../y",
      "a\\b/c",
      "C:/a",
    ])
      expect(parseHubName(text), text).toBeUndefined();
    for (const text of ["a/b--c", "-a/b", "a/b-", "a/b.", "a/b.git", `a/${"b".repeat(97)}`, "a b/c", "a/b@x y", "a/b@-x", "a/b/c:d\\e"])
      expect(parseHubName(text), text).toBeUndefined();
  });

  it("is written as it is read", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/);
    const revision = fc.option(fc.stringMatching(/^[a-z0-9]{1,5}(\/[a-z0-9]{1,5})?$/), { nil: undefined });
    const path = fc.option(fc.stringMatching(/^[a-z0-9.]*[a-z0-9](\/[a-z0-9]{1,5}\.json)?$/), { nil: undefined });
    fc.assert(
      fc.property(word, word, path, revision, (org, name, path, revision) => {
        const parsed = { repository: `${org}/${name}`, path, revision };
        expect(parseHubName(hubNameText(parsed))).toEqual(parsed);
      }),
    );
  });

  it("has paths that stay in their folder on every system", () => {
    for (const path of ["a", "a/b.json", "data/train-00000-of-00001.jsonl", "..a", "a..b/c"]) expect(isSafePath(path), path).toBe(true);
    for (const path of ["", ".", "..", "a/../b", "/a", "a/", "a//b", "..\\a", "c:a", "a/D:b", "a\0"])
      expect(isSafePath(path), path).toBe(false);
  });
});
