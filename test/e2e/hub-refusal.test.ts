// What a hub refuses, or says that cannot be believed, and what then is said.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { HubError, UsageError } from "@qlora-js/qlora";
import { type Hub, hubModel } from "@qlora-js/qlora/node";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { failure, NAME, useHub } from "./hub-fixture.ts";
import { type Asked, refuse } from "./hub-server.ts";

const TOKEN = "hf_secretsecretsecret";

const fixture = useHub();
let hub: Hub;
beforeEach(async () => {
  hub = await fixture().client();
});

const always = (): boolean => true;
const inResolve = ({ path }: Asked): boolean => path.includes("/resolve/");

describe("a token", () => {
  it("goes to the hub and not to where it redirects, from the environment or the usual file", async () => {
    writeFileSync(join(fixture().folder, "token"), `${TOKEN}\n`);
    for (const environment of [{ HF_TOKEN: TOKEN }, { HUGGING_FACE_HUB_TOKEN: TOKEN }, {}]) {
      fixture().server.asked.length = 0;
      fixture().clearCache();
      await hubModel(await fixture().client(environment), NAME);
      expect(
        fixture()
          .server.asked.filter(({ at }) => at === "hub")
          .every(({ token }) => token === `Bearer ${TOKEN}`),
      ).toBe(true);
      expect(fixture().storeRequests.map(({ token }) => token)).toEqual([undefined]);
    }
    const path = join(fixture().folder, "other");
    writeFileSync(path, "hf_other");
    expect((await fixture().client({ HF_TOKEN_PATH: path })).token?.read()).toBe("hf_other");
    expect((await fixture().client({ HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).token).toBeUndefined();
  });

  it("is in no message and in nothing that is printed, also one that cannot be a token", async () => {
    const opened = await fixture().client({ HF_TOKEN: TOKEN });
    fixture().server.fault = (_, response) => {
      refuse(response, 401, undefined, { "x-error-message": "Invalid credentials in Authorization header" });
      return true;
    };
    const error = await failure("unauthorized", hubModel(opened, NAME));
    expect(error.message).toContain("does not accept the token of HF_TOKEN");
    expect(`${inspect(error, { depth: 9 })}${inspect(opened, { depth: 9 })}${JSON.stringify(opened)}`).not.toContain(TOKEN);
    const broken = fixture().client({ HF_TOKEN: "hf_secret\nsecret" });
    await expect(broken).rejects.toThrow(UsageError);
    await expect(broken).rejects.not.toThrow("secret");
  });
});

describe("a hub that refuses", () => {
  const answers = (status: number, code?: string, headers: Record<string, string | number> = {}): void => {
    fixture().server.fault = (_, response) => {
      refuse(response, status, code, headers);
      return true;
    };
  };

  it("says what does not exist, or needs a token, and what to do", async () => {
    const error = await failure("absent", hubModel(hub, { ...NAME, repository: "org/none" }));
    expect(error.fields).toMatchObject({ status: 401, code: "RepoNotFound" });
    expect(error.message).toMatch(
      /^org\/none: 127\.0\.0\.1:\d+ has no model of that name that may be seen without a token \(401\)\. Check the name/,
    );
    answers(404, "RepoNotFound");
    expect((await failure("absent", hubModel(await fixture().client({ HF_TOKEN: TOKEN }), NAME))).message).toContain(
      "that the token of HF_TOKEN may see",
    );
    expect(fixture().waits).toEqual([]);
  });

  it("gates a model: 401 and 403 say where to accept its terms", async () => {
    for (const status of [401, 403]) {
      answers(status, "GatedRepo");
      expect((await failure("gated", hubModel(hub, NAME))).message).toContain(
        `Accept them at ${fixture().server.endpoint}/org/tiny, then put a token`,
      );
    }
    fixture().server.fault = ({ path }, response) => {
      if (!path.includes("/resolve/")) return false; // the list of a gated repository may be read by all
      refuse(response, 403, "GatedRepo");
      return true;
    };
    await failure("gated", hubModel(hub, NAME));
    answers(403);
    expect((await failure("unauthorized", hubModel(hub, NAME))).message).toContain("may not be read without a token (403)");
  });

  it("has no such revision or file", async () => {
    expect((await failure("revision", hubModel(hub, { ...NAME, revision: "v9" }))).message).toContain('has no revision "v9"');
    fixture().answer(inResolve, (response) => refuse(response, 404, "EntryNotFound"));
    expect((await failure("absent", hubModel(hub, NAME))).message).toMatch(/has no file [a-z.]+ at main/);
  });

  it("counts requests: waited for as it asks, in seconds or until a date, but not for ever", async () => {
    let refusals = 0;
    fixture().server.fault = (_, response) => {
      if (refusals++ >= 3) return false;
      const date = new Date(Date.now() + 60_000).toUTCString();
      refuse(response, 429, undefined, refusals === 1 ? { "retry-after": 7 } : refusals === 2 ? { "retry-after": date } : {});
      return true;
    };
    await hubModel(hub, NAME);
    expect(fixture().waits[0]).toBe(7000);
    expect(fixture().waits[1]).toBeGreaterThan(50_000);
    expect(fixture().waits[1]).toBeLessThanOrEqual(60_000);
    expect(fixture().waits[2]).toBe(4000);
    fixture().clearCache();
    answers(429, undefined, { "retry-after": 3600 });
    expect((await failure("limited", hubModel(hub, NAME))).fields).toMatchObject({ status: 429, retryAfter: 3600 });
    expect(fixture().waits).toHaveLength(3);
  });

  it("has a fault: tried again a few times, then an error", async () => {
    let faults = 0;
    fixture().answer(
      () => faults++ < 3,
      (response) => refuse(response, 500 + faults),
    );
    await hubModel(hub, NAME);
    expect(fixture().waits).toEqual([1000, 2000, 4000]);
    fixture().clearCache();
    answers(503);
    expect((await failure("server", hubModel(hub, NAME))).fields).toMatchObject({ status: 503 });
    expect(fixture().waits).toHaveLength(8);
  });

  it("cannot be reached: an error with why; and what is in the cache is used, saying so", async () => {
    const gone = await fixture().client({ HF_ENDPOINT: "http://127.0.0.1:9" });
    const error = await failure("unreachable", hubModel(gone, NAME));
    expect(error.message).toContain("127.0.0.1:9 cannot be reached");
    await hubModel(hub, NAME);
    fixture().waits.length = 0;
    const notes: string[] = [];
    expect(await hubModel(gone, NAME, { onNote: (text) => notes.push(text) })).toBe(fixture().snapshot);
    expect(notes[0]).toContain(`Using what is in the cache, commit ${fixture().commit.slice(0, 12)}`);
    expect(fixture().waits).toEqual([]);
  });
});

describe("offline", () => {
  it("without the model in the cache is an error that says where it looked, and asks nobody", async () => {
    const error = await failure("offline", hubModel({ ...hub, offline: true }, NAME));
    expect(error.message).toContain(`${join(fixture().folder, "hub")} has nothing of it`);
    expect(fixture().server.asked).toEqual([]);
  });
});

describe("a hostile hub", () => {
  it("with names that lead out of the folder is refused as a whole", async () => {
    for (const path of ["../config.json", "a/../../x.safetensors", "/etc/passwd", "..\\x", "C:x.json", "a//b", "", "a\0b", "./x"]) {
      fixture().server.entries = (entries) => [...entries, { type: "file", path, size: 1, oid: "0".repeat(40) }];
      const error = await failure("answer", hubModel(hub, NAME));
      expect(error.message).toContain("leads out of its folder");
    }
    expect(existsSync(join(fixture().folder, "hub", "models--org--tiny"))).toBe(false);
  });

  it("with an answer that is no list is refused", async () => {
    const lists: unknown[] = [{}, "x", [{ type: "file" }], [{ type: "file", path: "x", size: -1, oid: "0".repeat(40) }], null];
    lists.push(
      [{ type: "file", path: "config.json", size: 1.5, oid: "0".repeat(40) }],
      [{ type: "file", path: "config.json", size: 1, oid: "../../x" }],
    );
    lists.push([{ type: "file", path: "config.json", size: 1, oid: "0".repeat(40), lfs: { oid: "../x", size: 1 } }]);
    for (const list of lists) {
      fixture().server.entries = () => list;
      await failure("answer", hubModel(hub, NAME));
    }
    fixture().answer(always, (response) => response.end("<html>"));
    await failure("answer", hubModel(hub, NAME));
    fixture().answer(
      ({ path }) => path.includes("/revision/"),
      (response) => response.end('{"sha":"../../x"}'),
    );
    await failure("answer", hubModel(hub, NAME));
  });

  it("with any list at all gives a model, or an error of ours", async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("file", "directory", "config.json", "model.safetensors", "../x", "0".repeat(40), "0".repeat(64), 9e15),
    );
    const entry = fc.oneof(
      value,
      fc.record({ type: value, path: value, size: value, oid: value, lfs: fc.oneof(value, fc.record({ oid: value, size: value })) }),
    );
    const none = { ...hub, freeBytes: async () => -1 };
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fc.array(entry, { maxLength: 4 })), async (list) => {
        fixture().server.entries = () => list;
        const error: unknown = await hubModel(none, NAME).catch((thrown: unknown) => thrown);
        expect(error instanceof HubError || error instanceof UsageError, String(error)).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(existsSync(join(fixture().folder, "hub", "models--org--tiny"))).toBe(false);
  });

  it("with a list that never ends, or redirects that lead round, is given up", async () => {
    fixture().server.fault = ({ path }, response) => {
      if (!path.includes("/tree/")) return false;
      response.setHeader("link", `<${fixture().server.endpoint}${path}>; rel="next"`);
      response.end("[]");
      return true;
    };
    expect((await failure("answer", hubModel(hub, NAME))).message).toContain("more than 1000 pages");
    fixture().answer(always, (response, { path }) => response.writeHead(302, { location: path }).end());
    expect((await failure("answer", hubModel(hub, NAME))).message).toContain("10 redirects");
    fixture().answer(always, (response) => response.writeHead(302, { location: "file:///etc/passwd" }).end());
    expect((await failure("answer", hubModel(hub, NAME))).message).toContain("is not followed");
  });
});
