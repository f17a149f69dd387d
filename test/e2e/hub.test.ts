// The command with names of a hub, which is on this machine: the embedded model is trained under `org/name`, and then again offline.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { adapterBytes, named, qlora, qloraHere } from "./command.ts";
import { HubServer, refuse } from "./hub-server.ts";

const MICRO = fileURLToPath(new URL("../../packages/qlora/micro/", import.meta.url));
const read = (folder: string, files: readonly string[]) =>
  Object.fromEntries(files.map((file) => [file, readFileSync(join(MICRO, folder, file))]));

let server: HubServer;
let folder: string;
let commit: string;
let environment: Record<string, string>;
beforeAll(async () => {
  server = await HubServer.start();
  commit = server.add({
    kind: "model",
    name: "org/micro",
    files: read("model", readdirSync(join(MICRO, "model"))),
    large: /safetensors/,
    tags: ["v2"],
  });
  server.add({ kind: "dataset", name: "org/pirate", files: read("demo", ["train.jsonl", "valid.jsonl"]) });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.fault = () => false;
  server.asked.length = 0;
  folder = mkdtempSync(join(tmpdir(), "qlora-hub-cli-"));
  environment = { HF_HOME: join(folder, "hf"), HF_ENDPOINT: server.endpoint };
  return () => rmSync(folder, { recursive: true, force: true });
});
const steps = ["--steps", "2", "--batch", "2", "--no-samples"];

it("trains org/name on a data set org/name, again offline to the same bits, and goes on, evaluates and generates from the run", async () => {
  const run = (out: string, more: readonly string[] = []) =>
    qloraHere(["train", "org/micro", "org/pirate", ...steps, "--out", join(folder, out), ...more], { environment, cwd: folder });
  const first = await run("one");
  expect(first.stderr).toBe("");
  expect(first.code).toBe(0);
  const downloads = named(first, "download");
  expect(downloads.map(({ repository }) => repository)).toEqual(["org/micro", "org/pirate", "org/micro"]);
  expect(downloads[0]).toMatchObject({ commit });
  expect((downloads[0]!.files as { path: string }[]).map(({ path }) => path)).not.toContain("model.safetensors");
  // rows are looked at before weights come
  const order = first.events.map(({ event }) => event);
  expect(order.indexOf("data")).toBeLessThan(order.lastIndexOf("download"));
  const manifest = JSON.parse(readFileSync(join(folder, "one", "manifest.json"), "utf8")) as {
    model: { path: string };
    data: { path: string };
  };
  expect(manifest.model.path).toBe(`org/micro@${commit}`);
  expect(manifest.data.path).toMatch(/^org\/pirate@[0-9a-f]{40}$/);
  const adapter = JSON.parse(readFileSync(join(folder, "one", "adapter", "adapter_config.json"), "utf8")) as {
    base_model_name_or_path: string;
  };
  expect(adapter.base_model_name_or_path).toBe("org/micro");

  server.asked.length = 0;
  const second = await run("two", ["--offline"]);
  expect(second.code).toBe(0);
  expect(server.asked).toEqual([]);
  expect(named(second, "download")).toEqual([]);
  expect(adapterBytes(join(folder, "two")).equals(adapterBytes(join(folder, "one")))).toBe(true);

  const offline = { environment: { ...environment, HF_HUB_OFFLINE: "1" }, cwd: folder };
  for (const args of [
    ["eval", "one", "org/pirate"],
    ["generate", "one", "--prompt", "Hi"],
    ["train", "--resume", "one"],
  ]) {
    const result = await qloraHere(args, offline);
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
  }
  expect(server.asked).toEqual([]);
});

it("takes an adapter of the hub, and one GGUF file of a repository that has several", async () => {
  const on = { environment, cwd: folder };
  expect(await qloraHere(["train", "org/micro", "org/pirate", ...steps, "--out", "run"], on)).toMatchObject({ code: 0, stderr: "" });
  expect(await qloraHere(["merge", "run", "--base", "16bit", "--to", "m.gguf", "--as", "gguf-f16"], on)).toMatchObject({
    code: 0,
    stderr: "",
  });
  const files = (path: string) => Object.fromEntries(readdirSync(path).map((file) => [file, readFileSync(join(path, file))]));
  server.add({ kind: "model", name: "org/adapter", files: { ...files(join(folder, "run", "adapter")), "README.md": "# Pirate" } });
  const gguf = readFileSync(join(folder, "m.gguf"));
  server.add({ kind: "model", name: "org/gguf", files: { "f16.gguf": gguf, "q4.gguf": "never to be asked for" }, large: /gguf/ });
  const say = async (...args: string[]) => {
    const said = await qloraHere(
      ["generate", ...args, "--prompt", "Hi", "--max-new-tokens", "6", "--temperature", "0", "--format", "none"],
      on,
    );
    expect(said.stderr).toBe("");
    return named(said, "generate")[0]!.ids;
  };
  const expected = await say("run");
  expect(await say("org/micro", "--adapter", "org/adapter")).toEqual(expected);
  expect(await say("org/gguf/f16.gguf")).toEqual(expected);
  const several = await qloraHere(["generate", "org/gguf", "--prompt", "Hi"], on);
  expect(several.code).toBe(2);
  expect(several.stderr).toContain("Give one of them: org/gguf/f16.gguf, org/gguf/q4.gguf");
});

it("that is killed while it downloads is gone on with by the next, from the byte it has", async () => {
  const content = readFileSync(join(MICRO, "model", "model.safetensors"));
  const most = content.length - 1000;
  const sent = new Promise<void>((done) => {
    server.fault = ({ at }, response) => {
      if (at !== "store") return false;
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, most), () => done()); // and then nothing more
      return true;
    };
  });
  const blobs = join(folder, "hf", "hub", "models--org--micro", "blobs");
  const partial = () => readdirSync(blobs).filter((name) => name.endsWith(".incomplete"));
  const generate = ["generate", "org/micro", "--prompt", "Hi", "--max-new-tokens", "2"];
  const killed = qlora(generate, {
    environment,
    onEvent: ({ event }, child) => {
      if (event === "download") void sent.then(() => setTimeout(() => child.kill("SIGKILL"), 1000));
    },
  });
  expect(await killed).toMatchObject({ signal: "SIGKILL" });
  expect(partial()).toHaveLength(1);
  const kept = statSync(join(blobs, partial()[0]!)).size;
  server.fault = () => false;
  server.asked.length = 0;
  const next = await qloraHere(generate, { environment });
  expect(next).toMatchObject({ code: 0, stderr: "" });
  expect(server.asked.filter(({ at }) => at === "store").map(({ range }) => range)).toEqual([kept === 0 ? undefined : `bytes=${kept}-`]);
  expect(kept).toBeGreaterThan(0);
  expect(partial()).toEqual([]);
});

it("shows tokens and plans without downloading weights", async () => {
  for (const args of [
    ["plan", "org/micro", "org/pirate"],
    ["inspect", "org/micro@v2", "org/pirate", "--rows", "1"],
  ]) {
    const result = await qloraHere(args, { environment, cwd: folder });
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
  }
  expect(server.asked.filter(({ at }) => at === "store")).toEqual([]);
});

it("takes a folder of that name before it asks a hub", async () => {
  mkdirSync(join(folder, "org", "micro"), { recursive: true });
  writeFileSync(join(folder, "org", "micro", "config.json"), "{}");
  const result = await qloraHere(["inspect", "org/micro", "org/pirate"], { environment, cwd: folder });
  expect(result.code).toBe(2);
  expect(result.stderr).toContain("org/micro/config.json");
  expect(server.asked).toEqual([]);
});

it("says both where a name is neither a path nor on the hub, and leaves with 2", async () => {
  const absent = await qloraHere(["inspect", "org/none", "org/pirate"], { environment, cwd: folder });
  expect(absent.code).toBe(2);
  expect(absent.stderr).toMatch(/^error: org\/none: there is no such file or folder here, and 127\.0\.0\.1:\d+ has no model of that name/);
  expect(named(absent, "error")[0]).toMatchObject({ name: "HubError", fields: { status: 401 }, exitCode: 2 });
  const noData = await qloraHere(["inspect", "org/micro", "org/none"], { environment, cwd: folder });
  expect(noData.stderr).toContain("has no data set of that name");
  const neither = await qloraHere(["inspect", "nowhere", "org/pirate"], { environment, cwd: folder });
  expect(neither.code).toBe(2);
  expect(neither.stderr).toMatch(/^error: nowhere: there is no such file or folder here.*org\/name/);
  const offline = await qloraHere(["inspect", "org/micro", "org/pirate", "--offline"], { environment, cwd: folder });
  expect(offline.code).toBe(2);
  expect(offline.stderr).toContain("not in the cache");
  const pathWithRevision = await qloraHere(["inspect", folder, "org/pirate", "--revision", "v2"], { environment, cwd: folder });
  expect(pathWithRevision.stderr).toContain("is a path of this machine");
});

it("leaves with 1 where the hub fails, and prints no token", async () => {
  server.fault = (_, response) => {
    refuse(response, 429, undefined, { "retry-after": 100_000 });
    return true;
  };
  const failed = await qloraHere(["inspect", "org/micro", "org/pirate"], {
    environment: { ...environment, HF_TOKEN: "hf_verysecret" },
    cwd: folder,
  });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("too many requests (429)");
  expect(`${failed.stdout}${failed.stderr}`).not.toContain("verysecret");
  expect(server.asked[0]!.token).toBe("Bearer hf_verysecret");
});
