import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import { openHub } from "./hub.ts";
import { cachePlaces, modelOfSnapshot } from "./hub-source.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const open = (environment: Record<string, string>) => openHub({ environment: { HF_TOKEN_PATH: "/nowhere/token", ...environment } });

describe("the cache of a hub", () => {
  it("is where Python's client has it", async () => {
    expect((await open({})).cache).toBe(join(homedir(), ".cache", "huggingface", "hub"));
    expect((await open({ XDG_CACHE_HOME: "/x" })).cache).toBe(resolve("/x/huggingface/hub"));
    expect((await open({ HF_HOME: "~/h", XDG_CACHE_HOME: "/x" })).cache).toBe(join(homedir(), "h", "hub"));
    expect((await open({ HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/h" })).cache).toBe(resolve("/old"));
    expect((await open({ HF_HUB_CACHE: "/c", HUGGINGFACE_HUB_CACHE: "/old" })).cache).toBe(resolve("/c"));
  });

  it("names a snapshot's model again", async () => {
    const hub = await open({ HF_HUB_CACHE: "/c" });
    const places = cachePlaces(hub, { kind: "model", repository: "org/na-me.1", revision: "refs/pr/1" });
    expect(places.ref).toBe(resolve("/c/models--org--na-me.1/refs/refs/pr/1"));
    expect(modelOfSnapshot(places.snapshot(COMMIT))).toEqual({ repository: "org/na-me.1", commit: COMMIT });
    expect(modelOfSnapshot(`/c/models--a--b/snapshots/${COMMIT}/x.gguf`)).toEqual({ repository: "a/b", commit: COMMIT });
    for (const other of [
      "/c/models--org--name",
      `/c/datasets--a--b/snapshots/${COMMIT}`,
      "/home/model",
      `/c/models--a--b/snapshots/${COMMIT}0`,
    ])
      expect(modelOfSnapshot(other)).toBeUndefined();
  });

  it("is offline where the environment or the caller says so", async () => {
    for (const value of ["1", "ON", "yes", "True"]) expect((await open({ HF_HUB_OFFLINE: value })).offline).toBe(true);
    for (const value of ["0", "", "no"]) expect((await open({ HF_HUB_OFFLINE: value })).offline).toBe(false);
    expect((await openHub({ environment: { HF_TOKEN_PATH: "/nowhere" }, offline: true })).offline).toBe(true);
  });

  it("belongs to a hub that has an address", async () => {
    expect((await open({ HF_ENDPOINT: "https://mirror.example/hf/" })).endpoint).toBe("https://mirror.example/hf");
    await expect(open({ HF_ENDPOINT: "mirror.example" })).rejects.toThrow(UsageError);
    await expect(open({ HF_ENDPOINT: "file:///x" })).rejects.toMatchObject({ where: "HF_ENDPOINT" });
  });
});
