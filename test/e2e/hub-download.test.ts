// Downloads from a hub on this machine: where files come to lie, connections that are cut, contents that do not fit, disks, several at once.
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DownloadPlan, type Hub, hubData, hubModel, openHub, readDataFile } from "@qlora-js/qlora/node";
import { beforeEach, describe, expect, it } from "vitest";
import { CONFIG, failure, MODEL, MODEL_BYTES, NAME, TOKENIZER, useHub, WEIGHTS } from "./hub-fixture.ts";
import { cut, gitHash, sha256 } from "./hub-server.ts";

const fixture = useHub();
let hub: Hub;
beforeEach(async () => {
  hub = await fixture().client();
});

describe("a model of a hub", () => {
  it("comes into the cache as Python's client lays it out, and only what is needed of it", async () => {
    const plans: DownloadPlan[] = [];
    let bytes = 0;
    const path = await hubModel(hub, NAME, { onPlan: (plan) => plans.push(plan), onBytes: (n) => (bytes += n) });
    expect(path).toBe(fixture().snapshot);
    expect(readdirSync(path).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readlinkSync(join(path, "model.safetensors"))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(readdirSync(join(fixture().root, "blobs")).sort()).toEqual(
      [sha256(WEIGHTS), gitHash(Buffer.from(TOKENIZER)), gitHash(Buffer.from(CONFIG))].sort(),
    );
    expect(readFileSync(join(path, "model.safetensors")).equals(WEIGHTS)).toBe(true);
    expect(readFileSync(join(fixture().root, "refs", "main"), "utf8")).toBe(fixture().commit);
    expect(plans).toHaveLength(1);
    expect(plans[0]).toMatchObject({
      repository: "org/tiny",
      commit: fixture().commit,
      bytes: MODEL_BYTES,
      cache: join(fixture().folder, "hub"),
    });
    expect(bytes).toBe(MODEL_BYTES);
    expect(readdirSync(join(fixture().folder, "hub", ".locks", "models--org--tiny"))).toEqual([]);
  });

  it("is not downloaded again, and offline not even asked for", async () => {
    await hubModel(hub, NAME);
    fixture().server.asked.length = 0;
    await hubModel(hub, NAME);
    expect(fixture().server.asked.every(({ path }) => path.startsWith("/api/"))).toBe(true);
    fixture().server.asked.length = 0;
    for (const offline of [await fixture().client({ HF_HUB_OFFLINE: "1" }), { ...hub, offline: true }]) {
      expect(await hubModel(offline, NAME)).toBe(fixture().snapshot);
    }
    expect(fixture().server.asked).toEqual([]);
  });

  it("is found by a branch with a slash, a tag and a fixture().commit, each noted as a reference but the commit", async () => {
    for (const revision of ["feature/x", "v1.0", fixture().commit])
      expect(await hubModel(hub, { ...NAME, revision })).toBe(fixture().snapshot);
    expect(readFileSync(join(fixture().root, "refs", "feature", "x"), "utf8")).toBe(fixture().commit);
    expect(readdirSync(join(fixture().root, "refs")).sort()).toEqual(["feature", "v1.0"]);
    expect(await hubModel({ ...hub, offline: true }, { ...NAME, revision: "v1.0" })).toBe(fixture().snapshot);
  });

  it("that Python has downloaded is used, in whole or in part", async () => {
    mkdirSync(join(fixture().root, "blobs"), { recursive: true });
    writeFileSync(fixture().blob(sha256(WEIGHTS)), WEIGHTS);
    mkdirSync(fixture().snapshot, { recursive: true });
    symlinkSync(`../../blobs/${sha256(WEIGHTS)}`, join(fixture().snapshot, "model.safetensors"));
    await hubModel(hub, NAME);
    expect(fixture().storeRequests).toEqual([]);
    expect(readdirSync(fixture().snapshot).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });

  it("shares contents between commits, and a new commit takes the place of the old one at its end", async () => {
    await hubModel(hub, NAME);
    const old = fixture().snapshot;
    fixture().commit = fixture().server.add({ ...MODEL, files: { ...MODEL.files, "config.json": '{"model_type":"llama","x":1}' } });
    fixture().server.asked.length = 0;
    expect(await hubModel(hub, NAME)).toBe(fixture().snapshot);
    expect(fixture().storeRequests).toEqual([]);
    expect(fixture().snapshot).not.toBe(old);
    expect(readFileSync(join(fixture().root, "refs", "main"), "utf8")).toBe(fixture().commit);
  });

  it("may be its text alone, and one file of a folder", async () => {
    const text = await hubModel(hub, NAME, { wanted: "text" });
    expect(readdirSync(text).sort()).toEqual(["config.json", "tokenizer.json"]);
    expect(await hubModel(hub, { ...NAME, path: "onnx/model.onnx" })).toBe(join(fixture().snapshot, "onnx", "model.onnx"));
    const error = await failure("offline", hubModel({ ...hub, offline: true }, NAME));
    expect(error.message).toContain("The cache has only a part of it");
  });

  it("is read over several pages of the list, and comes in shards", async () => {
    fixture().server.pageSize = 2;
    const shards = [1, 2, 3].map((i) => [`model-0000${i}-of-00003.safetensors`, WEIGHTS.subarray(0, 1000 * i)] as const);
    const { "model.safetensors": _, ...others } = MODEL.files;
    const files = { ...others, "model.safetensors.index.json": "{}", ...Object.fromEntries(shards) };
    fixture().commit = fixture().server.add({ ...MODEL, files });
    await hubModel(hub, NAME);
    expect(readdirSync(fixture().snapshot).filter((name) => name.endsWith(".safetensors"))).toEqual(shards.map(([name]) => name));
    fixture().server.add({ ...MODEL, files: Object.fromEntries(Object.entries(files).filter(([path]) => path !== shards[1]![0])) });
    await expect(hubModel(hub, NAME)).rejects.toThrow("holds 2 of the 3 shards");
  });

  it("is made of hard links or copies where there can be no symbolic ones", async () => {
    hub = await fixture().client({ HF_HUB_DISABLE_SYMLINKS: "1" });
    await hubModel(hub, NAME);
    expect(() => readlinkSync(join(fixture().snapshot, "model.safetensors"))).toThrow("EINVAL");
    expect(statSync(join(fixture().snapshot, "model.safetensors")).ino).toBe(statSync(fixture().blob(sha256(WEIGHTS))).ino);
  });

  it("of which a file was cut short in the cache has it downloaded again", async () => {
    await hubModel(hub, NAME);
    writeFileSync(fixture().blob(sha256(WEIGHTS)), WEIGHTS.subarray(0, 10));
    await hubModel(hub, NAME);
    expect(readFileSync(join(fixture().snapshot, "model.safetensors")).equals(WEIGHTS)).toBe(true);
  });
});

describe("a connection that is cut", () => {
  const cutting = (times: number, bytes: number): void => {
    let cuts = 0;
    fixture().server.fault = ({ at, range }, response, content) => {
      if (at !== "store" || cuts++ >= times) return false;
      cut(response, content!, range, bytes);
      return true;
    };
  };

  it("is gone on with from the byte it broke at, as often as some bytes came", async () => {
    cutting(9, 30_000);
    await hubModel(hub, NAME);
    const ranges = fixture().storeRequests.map(({ range }) => range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges).toHaveLength(10);
    expect(ranges.slice(1)).toEqual(Array.from({ length: 9 }, (_, i) => `bytes=${30_000 * (i + 1)}-`));
    expect(readFileSync(join(fixture().snapshot, "model.safetensors")).equals(WEIGHTS)).toBe(true);
    expect(fixture().waits).toEqual(Array(9).fill(1000));
  });

  it("six times in a row without a byte is an error, and what came is gone on with by the next who asks", async () => {
    let cuts = 0;
    fixture().server.fault = ({ at, range }, response, content) => {
      if (at !== "store") return false;
      if (cuts++ === 0) cut(response, content!, range, 100_000);
      else response.destroy();
      return true;
    };
    const error = await failure("unreachable", hubModel(hub, NAME));
    expect(error.where).toBe("org/tiny");
    expect(fixture().waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(statSync(fixture().partial).size).toBe(100_000);
    expect(existsSync(join(fixture().snapshot, "config.json"))).toBe(false);
    fixture().server.fault = () => false;
    fixture().server.asked.length = 0;
    const plans: DownloadPlan[] = [];
    await hubModel(hub, NAME, { onPlan: (plan) => plans.push(plan) });
    expect(plans[0]!.bytes).toBe(WEIGHTS.length - 100_000);
    expect(fixture().storeRequests.map(({ range }) => range)).toEqual(["bytes=100000-"]);
    expect(existsSync(fixture().partial)).toBe(false);
  });

  it("begins anew where ranges are not served", async () => {
    let cuts = 0;
    fixture().server.fault = ({ at }, response, content) => {
      if (at !== "store") return false;
      if (cuts++ === 0) cut(response, content!, undefined, 1000);
      else response.end(content);
      return true;
    };
    let bytes = 0;
    await hubModel(hub, NAME, { onBytes: (n) => (bytes += n) });
    expect(bytes).toBe(MODEL_BYTES);
    expect(readFileSync(join(fixture().snapshot, "model.safetensors")).equals(WEIGHTS)).toBe(true);
  });

  it("and that is silent is given up", async () => {
    hub = await fixture().client({}, { stallMs: 400 });
    let silent = 0;
    fixture().server.fault = ({ at }) => at === "store" && silent++ < 2;
    await hubModel(hub, NAME);
    // a busy machine may be silent once more
    expect(fixture().waits.slice(0, 2)).toEqual([1000, 2000]);
    expect(silent).toBeGreaterThanOrEqual(3);
  });
});

describe("what does not fit its hash", () => {
  it("is downloaded once more from its beginning, as where an older part was damaged", async () => {
    mkdirSync(join(fixture().root, "blobs"), { recursive: true });
    writeFileSync(fixture().partial, Buffer.alloc(50_000, 1));
    await hubModel(hub, NAME);
    expect(fixture().storeRequests.map(({ range }) => range)).toEqual(["bytes=50000-", undefined]);
    expect(readFileSync(join(fixture().snapshot, "model.safetensors")).equals(WEIGHTS)).toBe(true);
  });

  it("twice is an error with both hashes, for large files and small ones, and nothing of it stays", async () => {
    for (const wanted of ["model.safetensors", "tokenizer.json"]) {
      const id = wanted.endsWith("json") ? gitHash(Buffer.from(TOKENIZER)) : sha256(WEIGHTS);
      fixture().server.fault = ({ path }, response, content) => {
        if (!path.endsWith(wanted) && !path.endsWith(id)) return false;
        if (wanted.endsWith("safetensors") && path.endsWith(wanted)) return false;
        response.end(Buffer.alloc(content!.length, 9));
        return true;
      };
      fixture().clearCache();
      const error = await failure("damaged", hubModel(hub, NAME));
      expect(error.fields).toMatchObject({ file: wanted, expected: id });
      expect(error.fields.found).not.toBe(id);
      expect(existsSync(fixture().blob(id))).toBe(false);
      expect(existsSync(fixture().snapshot)).toBe(false);
    }
  });

  it("by the hub's own header is refused before its bytes come", async () => {
    fixture().server.fault = ({ path }, response) => {
      if (!path.endsWith("/model.safetensors")) return false;
      response.writeHead(302, { "x-linked-etag": `"${"0".repeat(64)}"`, location: "/never" }).end();
      return true;
    };
    expect((await failure("damaged", hubModel(hub, NAME))).fields).toMatchObject({ found: "0".repeat(64), expected: sha256(WEIGHTS) });
    expect(fixture().storeRequests).toEqual([]);
  });

  it("and what is longer than the list says is ended at once", async () => {
    fixture().server.fault = ({ at }, response, content) => {
      if (at !== "store") return false;
      response.end(Buffer.concat([content!, Buffer.alloc(100_000)]));
      return true;
    };
    expect((await failure("damaged", hubModel(hub, NAME))).message).toContain("is longer than the 300000 bytes");
    expect(statSync(fixture().partial).size).toBe(0);
  });
});

describe("a disk without room", () => {
  it("is found out before the first byte", async () => {
    hub = await fixture().client({}, { freeBytes: async () => 299_999 });
    const plans: DownloadPlan[] = [];
    const error = await failure("space", hubModel(hub, NAME, { onPlan: (plan) => plans.push(plan) }));
    expect(error.message).toContain("300 kB are to be downloaded");
    expect(error.fields).toMatchObject({ bytes: MODEL_BYTES, freeBytes: 299_999 });
    expect(plans).toHaveLength(1);
    expect(fixture().server.asked.some(({ path }) => path.includes("/resolve/"))).toBe(false);
  });

  const full = "/dev/full";
  it.skipIf(!existsSync(full))("that fills while it is written is an error, with what has come kept (needs /dev/full)", async () => {
    mkdirSync(join(fixture().root, "blobs"), { recursive: true });
    symlinkSync(full, fixture().partial);
    const error = await failure("space", hubModel(hub, NAME));
    expect(error.message).toContain("has no room left for model.safetensors");
    expect(error.cause).toMatchObject({ name: "StorageError", code: "ENOSPC" });
    expect(existsSync(fixture().blob(sha256(WEIGHTS)))).toBe(false);
  });

  it("for a size that is merely claimed is the same, and allocates nothing", async () => {
    fixture().server.entries = (entries) =>
      entries.map((entry) => (entry.path === "model.safetensors" ? { ...entry, lfs: { oid: sha256(WEIGHTS), size: 9e15 } } : entry));
    expect((await failure("space", hubModel(hub, NAME))).message).toContain("9000000 GB are to be downloaded");
  });
});

describe("several at once", () => {
  it("download each content once", async () => {
    hub = await openHub({ environment: { HF_ENDPOINT: fixture().server.endpoint, HF_HOME: fixture().folder } });
    fixture().server.fault = ({ at, path }, response, content) => {
      if (at !== "store" && !path.includes("/resolve/")) return false;
      if (path.includes("/resolve/") && path.endsWith(".safetensors")) return false;
      setTimeout(() => response.end(content), 100);
      return true;
    };
    const paths = await Promise.all([1, 2, 3].map(() => hubModel(hub, NAME)));
    expect(new Set(paths)).toEqual(new Set([fixture().snapshot]));
    expect(fixture().storeRequests).toHaveLength(1);
    expect(fixture().server.asked.filter(({ path }) => path.endsWith("/config.json"))).toHaveLength(1);
    expect(readdirSync(join(fixture().root, "blobs"))).toHaveLength(3);
  });
});

describe("a data set of a hub", () => {
  const rows = '{"text":"a"}\n';
  const set = (files: Record<string, Uint8Array | string>): string => fixture().server.add({ kind: "dataset", name: "org/rows", files });
  const ROWS = { repository: "org/rows", path: undefined, revision: undefined };

  it("comes as its files for training and evaluation", async () => {
    const at = set({ "data/train.jsonl": rows, "data/validation.jsonl": rows.repeat(2), "data/test.jsonl": rows, "README.md": "x" });
    const paths = await hubData(hub, ROWS);
    const inside = join(fixture().folder, "hub", "datasets--org--rows", "snapshots", at, "data");
    expect(paths).toEqual({ train: [join(inside, "train.jsonl")], valid: [join(inside, "validation.jsonl")], commit: at });
    expect(readdirSync(inside).sort()).toEqual(["train.jsonl", "validation.jsonl"]);
    expect(await hubData({ ...hub, offline: true }, ROWS)).toEqual(paths);
  });

  it("is one file that is named", async () => {
    set({ "a/train.jsonl": rows, "b/train.jsonl": rows });
    await expect(hubData(hub, ROWS)).rejects.toThrow("Give one of them: org/rows/a, org/rows/b");
    expect((await hubData(hub, { ...ROWS, path: "b/train.jsonl" })).train[0]).toMatch(/b\/train\.jsonl$/);
    expect((await hubData(hub, { ...ROWS, path: "a" })).train[0]).toMatch(/a\/train\.jsonl$/);
  });

  it("comes as parquet, as most are there", async () => {
    const parquet = readFileSync(new URL("../reference/parquet/messages-snappy.parquet", import.meta.url));
    const [one, two] = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"] as const;
    set({ [two]: parquet, [one]: parquet, "data/test-00000-of-00001.parquet": parquet, "README.md": "x" });
    const { train, valid } = await hubData(hub, ROWS);
    expect(valid).toBeUndefined();
    expect(train.map((path) => path.slice(-one.length))).toEqual([one, two]);
    const twice = sha256(Buffer.concat([parquet, parquet]));
    expect(await readDataFile(train)).toMatchObject({ kind: "messages", rows: { length: 24 }, sha256: twice });
  });

  it("in other formats is refused with the command that converts it", async () => {
    set({ "data/train.arrow": "ARROW1", "README.md": "x" });
    await expect(hubData(hub, ROWS)).rejects.toThrow('load_dataset("org/rows", split="train").to_json("train.jsonl")');
  });
});
