// One cache for two clients: what this one downloads Python's huggingface_hub finds, and the other way round. Both ask the hub of this machine.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { named, qlora } from "./command.ts";
import { HubServer } from "./hub-server.ts";

const python = process.env.QLORA_TEST_PYTHON;
const reason = python ? "" : " (skipped: QLORA_TEST_PYTHON names no Python with huggingface_hub and transformers)";
const MICRO = fileURLToPath(new URL("../../packages/qlora/micro/model/", import.meta.url));

describe.skipIf(!python)(`the cache that Python's client has too${reason}`, () => {
  let server: HubServer;
  let folder: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    server = await HubServer.start();
    const files = Object.fromEntries(readdirSync(MICRO).map((file) => [file, readFileSync(join(MICRO, file))]));
    for (const name of ["org/ours", "org/theirs"]) server.add({ kind: "model", name, files, large: /safetensors/, tags: ["v1"] });
    folder = realpathSync(mkdtempSync(join(tmpdir(), "qlora-hub-python-")));
    environment = { HF_HOME: folder, HF_ENDPOINT: server.endpoint };
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a program prints, as JSON. */
  async function ask(program: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const child = spawn(python!, ["-c", `import json\n${program}`], {
      env: { ...process.env, ...environment, ...more },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    await new Promise((done) => child.on("close", done));
    return JSON.parse(text);
  }
  const generate = (model: string, ...more: string[]) =>
    qlora(["generate", model, "--prompt", "Hi", "--max-new-tokens", "4", ...more], { environment });

  it("has what this client downloaded: found without a network, loaded by transformers, and not downloaded again", async () => {
    const result = await generate("org/ours", "--revision", "v1");
    expect(result.stderr).toBe("");
    const [{ commit, files }] = named(result, "download") as unknown as [{ commit: string; files: { path: string }[] }];
    const snapshot = join(folder, "hub", "models--org--ours", "snapshots", commit);
    server.asked.length = 0;
    const found = await ask(
      `
from huggingface_hub import snapshot_download, hf_hub_download, scan_cache_dir
from transformers import AutoModelForCausalLM, AutoTokenizer
at = {"revision": "v1", "local_files_only": True}
model = AutoModelForCausalLM.from_pretrained("org/ours", **at)
cache = scan_cache_dir()
print(json.dumps([snapshot_download("org/ours", **at), hf_hub_download("org/ours", "config.json", **at), type(model).__name__,
  len(AutoTokenizer.from_pretrained("org/ours", **at)), [sorted(r.refs) for repo in cache.repos for r in repo.revisions], [str(w) for w in cache.warnings]]))`,
      { HF_HUB_OFFLINE: "1" },
    );
    expect(found).toEqual([snapshot, join(snapshot, "config.json"), "LlamaForCausalLM", expect.any(Number), [["v1"]], []]);
    expect(server.asked).toEqual([]);
    const path = await ask(`
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download("org/ours", revision="v1", allow_patterns=${JSON.stringify(files.map(({ path }) => path))})))`);
    expect(path).toBe(snapshot);
    expect(server.asked.filter(({ path, at }) => at === "store" || path.includes("/resolve/"))).toEqual([]);
  });

  it("has what Python downloaded: found here without a network, and not downloaded again", async () => {
    await ask(`
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download("org/theirs")))`);
    server.asked.length = 0;
    const offline = await generate("org/theirs", "--offline");
    expect(offline.stderr).toBe("");
    expect(offline.code).toBe(0);
    expect(server.asked).toEqual([]);
    const online = await generate("org/theirs");
    expect(online.code).toBe(0);
    expect(named(online, "download")).toEqual([]);
    expect(server.asked.map(({ path }) => path.split("/")[5])).toEqual(["revision", "tree"]);
  });
});
