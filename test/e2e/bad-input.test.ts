// What a user may give that cannot be used: one plain sentence that names it, exit code 2, and nothing that was there before is harmed.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";
import { TINY_CONFIG, writeTinyModel } from "./tiny-model.ts";

const fixtures = useFixtures();

/** Failed by what was given: exit code 2, one sentence without a stack, and the same as an event. */
function expectRefused(result: Result, ...words: (string | RegExp)[]): void {
  expect(result.stderr).toMatch(/^error: /);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  for (const word of words) expect(result.stderr).toMatch(word);
  expect(result.code).toBe(2);
  const event = result.events.at(-1);
  if (event) expect(event).toMatchObject({ event: "error", exitCode: 2 });
}

/** Trains on a copy of the model folder that has been changed. */
async function trainOn(change: (folder: string) => void | Promise<void>): Promise<Result> {
  const { folder, model, data } = fixtures();
  const changed = join(folder, `changed-${Math.random()}`);
  cpSync(model, changed, { recursive: true });
  await change(changed);
  return qloraHere(["train", changed, data, "--steps", "1", "--out", join(changed, "run")]);
}

/** Trains on rows written as text. */
async function trainWith(rows: string, ...options: string[]): Promise<Result> {
  const { folder, model } = fixtures();
  const file = join(folder, `rows-${Math.random()}.jsonl`);
  writeFileSync(file, rows);
  return qloraHere(["train", model, file, "--steps", "1", "--out", `${file}-run`, ...options]);
}

const config = (folder: string, changes: object): void =>
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...TINY_CONFIG, ...changes }));

interface Entry {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data_offsets: readonly number[];
}

/** Rewrites what the header of the folder's weights says of the last norm. */
function reheader(folder: string, change: (norm: Entry) => Entry): void {
  const path = join(folder, "model.safetensors");
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Record<string, Entry>;
  header["model.norm.weight"] = change(header["model.norm.weight"]!);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([size, text, file.subarray(8 + length)]));
}

/** Weights that are a header alone. */
function header(folder: string, text: string, length = BigInt(text.length)): void {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length);
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat([size, Buffer.from(text)]));
}

const nested = (path: string): void => writeFileSync(path, "[".repeat(1e6) + "]".repeat(1e6));

/** Changes a JSON file of the folder. */
function change(path: string, fields: object): void {
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...fields }));
}
const retokenize = (folder: string, type: string): void => change(join(folder, "tokenizer.json"), { model: { type } });
const template = (folder: string, text: string): void => change(join(folder, "tokenizer_config.json"), { chat_template: text });

describe("the command line", () => {
  it.each([
    [["trian", "m", "d"], /unknown command 'trian'[\s\S]*train/],
    [["train", "m", "d", "--rnak", "4"], /unknown option '--rnak'[\s\S]*--rank/],
    [["generate", "m", "--temprature", "1"], /unknown option '--temprature'[\s\S]*--temperature/],
    [["train", "m", "d", "--lr"], /'--lr <rate>' argument missing/],
    [["eval", "m"], /missing required argument 'data'/],
    [["inspect", "m", "d", "more"], /too many arguments/],
  ])("is refused for %j", async (args, message) => {
    const result = await qlora(args);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
  });

  it.each([
    [["--lr", "fast"], /--lr: is "fast"\. Give a number above 0/],
    [["--rank", "0"], /--rank: is "0"/],
    [["--rank", "2.5"], /--rank: is "2.5"\. Give a whole number/],
    [["--schedule", "cosin"], /--schedule: is "cosin".*Did you mean "cosine"\?/],
    [["--format", "nf5"], /--format: is "nf5".*Did you mean "nf4"\?/],
    [["--block-size", "48"], /--block-size: is "48"\. Give 32, 64, 128/],
    [["--dropout", "1"], /--dropout: is "1"/],
    [["--pager-budget", "lots"], /--pager-budget: is "lots"/],
    [["--pager-budget", "100"], /--pager-budget/],
    [["--rank", "1000000"], /--rank: is "1000000"\. Give a whole number from 1 to 4096/],
    [["--epochs", "1e300"], /--epochs: is 1e\+300, which would be .* steps\. Give fewer/],
    [["--accumulate", "1e15", "--order", "file"], /--accumulate: is "1e15"/],
    [["--targets", "q_proj,v_porj"], /--targets: "v_porj".*Did you mean "v_proj"\?/],
    [["--steps", "2", "--epochs", "1"], /--steps: and --epochs are both given/],
    [["--memory", "1MB"], /memory: the run would take[\s\S]*The cheapest changes:\n {2}--/],
  ])("is refused for train … %j", async (options, message) => {
    const { model, data } = fixtures();
    expectRefused(await qloraHere(["train", model, data, "--dry-run", ...options]), message);
  });

  it("is refused for train without a model", async () => {
    expectRefused(await qlora(["train"]), /MODEL: is missing/);
  });

  it.each([
    [[], /--prompt: is missing/],
    [["--prompt", "a", "--prompt-ids", "1"], /--prompt-ids are both given/],
    [["--prompt-ids", "1,x"], /--prompt-ids: is "1,x"/],
    [["--prompt-ids", "4000"], /4000, outside the model's vocabulary of 1024/],
    [["--raw", "--prompt", "a ".repeat(200)], /the model has 128 positions/],
    [["--prompt", "a", "--top-p", "0"], /--top-p: is "0"/],
  ])("is refused for generate … %j", async (options, message) => {
    const { model } = fixtures();
    expectRefused(await qloraHere(["generate", model, ...options]), message);
  });

  it("is refused where a folder has no tokenizer for text, and chat has no turns", async () => {
    const { bare, data } = fixtures();
    expectRefused(await qloraHere(["generate", bare, "--prompt", "a"]), /no tokenizer\.json/);
    expectRefused(await qlora(["chat", bare]), /no tokenizer\.json/);
    expectRefused(await qloraHere(["train", bare, data]), /no tokenizer\.json/);
  });
});

describe("a config file", () => {
  it.each([
    ['{ "rnak": 4 }', /"rnak" is not an option\. Did you mean "rank"\?/],
    ['{ "rank": "many" }', /--rank: is "many"/],
    ['{ "double-quant": "no" }', /--no-double-quant: is "no"\. Give true or false/],
    ["[1]", /is not an object/],
    ["{ rank: 4 }", /is not JSON/],
  ])("is refused that says %s", async (text, message) => {
    const { folder, model, data } = fixtures();
    const file = join(folder, "bad-config.json");
    writeFileSync(file, text);
    expectRefused(await qloraHere(["train", model, data, "--dry-run", "--config", file]), message);
  });

  it("is refused that is not there", async () => {
    const { folder, model, data } = fixtures();
    expectRefused(await qloraHere(["train", model, data, "--config", join(folder, "none.json")]), /none\.json.*ENOENT/);
  });
});

describe("a model folder", () => {
  it.each<[string, (folder: string) => void | Promise<void>, RegExp]>([
    ["without config.json", (f) => cpSync(join(f, "tokenizer.json"), join(f, "config.json")), /model_type/],
    [
      "of a family that is not supported",
      (f) => config(f, { model_type: "mamba" }),
      /model_type "mamba" is not supported\. Supported: llama/,
    ],
    ["whose config lacks a size", (f) => config(f, { hidden_size: undefined }), /hidden_size/],
    ["that lacks a tensor", (f) => config(f, { num_hidden_layers: 3 }), /lacks the tensor "model\.layers\.2\./],
    ["with a tensor too many", (f) => config(f, { num_hidden_layers: 1 }), /holds the tensor "model\.layers\.1\.[^"]+".*no place/],
    ["whose file is cut short", (f) => cut(join(f, "model.safetensors"), 100), /model\.safetensors/],
    ["whose header is longer than the file", (f) => cut(join(f, "model.safetensors"), -60), /header's length is \d+, but the file has/],
    ["with a tensor of another shape", (f) => reheader(f, (norm) => ({ ...norm, shape: [32, 2] })), /model\.norm\.weight/],
    ["with tensors that overlap", (f) => reheader(f, (norm) => ({ ...norm, data_offsets: [0, 128] })), /inside the one before it/],
    ["of numbers that are not read", (f) => reheader(f, (norm) => ({ ...norm, dtype: "I16" })), /model\.norm\.weight.*I16/],
    ["whose header is nested a million times", (f) => header(f, `{"a":${"[".repeat(1e6)}`), /nested deeper than/],
    [
      "whose header says more than there is",
      (f) => header(f, "{}", 99_000_000n),
      /the header's length is 99000000, but the file has 10 bytes/,
    ],
    ["whose header asks for more than any machine has", (f) => header(f, "{}", 1n << 63n), /above the limit/],
    ["with a tensor larger than numbers go", (f) => reheader(f, (norm) => ({ ...norm, shape: [2 ** 40, 2 ** 40] })), /too large/],
    ["with a tensor far behind the file's end", (f) => reheader(f, (norm) => ({ ...norm, data_offsets: [1e15, 1e15 + 128] })), /cut short/],
    ["whose config is nested a million times", (f) => writeFileSync(join(f, "config.json"), "[".repeat(1e6)), /config\.json: is not JSON/],
    ["whose tokenizer is nested a million times", (f) => nested(join(f, "tokenizer.json")), /tokenizer\.json: is \[…\]/],
    ["whose tokenizer is of a kind not known", (f) => retokenize(f, "Nope"), /tokenizer\.json: a vocabulary of type "Nope" is not read/],
    ["whose template asks for endless memory", (f) => template(f, "{% for i in range(10**9) %}x{% endfor %}"), /range\(\) of 1000000000/],
    ["whose template is none", (f) => template(f, "{% for x in %}"), /chat template: cannot be parsed/],
    ["whose tokenizer is damaged", (f) => writeFileSync(join(f, "tokenizer.json"), "{"), /tokenizer\.json.*not JSON/],
  ])("%s is refused", async (_, change, message) => {
    expectRefused(await trainOn(change), message);
  });

  it("that is not there, or has nothing of a model, is refused", async () => {
    const { folder, model, data } = fixtures();
    expectRefused(await qloraHere(["train", join(folder, "nowhere"), data]), /nowhere: there is no such file or folder\. Give a model/);
    expectRefused(await qloraHere(["train", data, data]), /has no config\.json/);
    expectRefused(await qloraHere(["plan", model, "--targets", "v_porj"]), /--targets: "v_porj".*Did you mean "v_proj"\?/);
  });
});

describe("data", () => {
  it.each([
    ["with a broken line", '{"text":"a b"}\n{"text":', /line 2.*not JSON/],
    ["that is empty", "", /empty/],
    [
      "of keys that are near nothing",
      '{"question":"a","answer":"b"}',
      /line 1: the keys "question", "answer" fit no kind of row\. Known rows: messages/,
    ],
    [
      "of messages in parts",
      '{"messages":[{"role":"user","content":[]}]}',
      /line 1: messages\[0\]\.content is \[\]: .*Write rows as \{"messages"/,
    ],
    ["nested a million times", `{"text":${"[".repeat(1e6)}${"]".repeat(1e6)}}`, /line 1: text is \[…\]/],
    ["of one endless line", "a".repeat(34e6), /line 1: is longer than 33554432 characters/],
    ["of keys that are not known", '{"promt":"a","completion":"b"}', /line 1.*rename "promt" to "prompt"/],
    ["of two kinds", '{"text":"a b"}\n{"prompt":"a","completion":"b"}', /line 2/],
    ["with a row that teaches nothing", '{"input_ids":[1,2],"labels":[-100,-100]}', /line 1.*no supervised token/],
    ["with an id out of the vocabulary", '{"input_ids":[1,1024],"labels":[-100,1024]}', /1024.*vocabulary of 1024/],
    ["with a row longer than the model's positions", JSON.stringify({ text: "word ".repeat(300) }), /line 1.*128 positions.*--max-length/],
    ["of conversations without an answer", '{"messages":[{"role":"user","content":"hi"}]}', /line 1.*assistant/],
  ])("%s is refused", async (_, rows, message) => {
    expectRefused(await trainWith(rows), message);
  });

  it("that is not there is refused", async () => {
    const { folder, model } = fixtures();
    expectRefused(
      await qloraHere(["eval", model, join(folder, "none.jsonl")]),
      /none\.jsonl: there is no such file or folder\. Give a \.jsonl/,
    );
    mkdirSync(join(folder, "hollow"));
    expectRefused(await qloraHere(["train", model, join(folder, "hollow")]), /has no train\.jsonl/);
  });

  it("longer than the positions is taken with --max-length", async () => {
    const result = await trainWith(`${JSON.stringify({ text: "word ".repeat(300) })}\n`, "--max-length", "16", "--dry-run");
    expect(result.code).toBe(0);
    expect(named(result, "data")[0]).toMatchObject({ train: { truncated: { rows: { count: 1 } } } });
  });
});

describe("an adapter", () => {
  it("for another base, of another rank than was asked, or none at all is refused", async () => {
    const { folder, model, data, bare, ids } = fixtures();
    const [run, other] = [join(folder, "adapter-run"), join(folder, "other")];
    await qloraHere(["train", bare, ids, "--steps", "1", "--rank", "2", "--out", run]);
    const adapter = join(run, "adapter");
    await writeTinyModel(other, { config: { ...TINY_CONFIG, intermediate_size: 128 } });
    expectRefused(await qloraHere(["train", other, data, "--adapter", adapter]), /another base model\. model\.layers\.0\.mlp\.gate_proj/);
    expectRefused(await qloraHere(["eval", other, data, "--adapter", adapter]), /another base model/);
    expectRefused(await qlora(["train", model, data, "--adapter", adapter, "--rank", "8"]), /--rank: is 8, and the adapter .* has 2/);
    expectRefused(await qloraHere(["generate", model, "--prompt", "a", "--adapter", model]), /adapter_config\.json/);
  });
});

describe("a run folder", () => {
  it("that has something in it is left alone", async () => {
    const { folder, bare, ids } = fixtures();
    const [run, full] = [join(folder, "there"), join(folder, "full")];
    await qloraHere(["train", bare, ids, "--steps", "1", "--rank", "2", "--out", run]);
    const manifest = readFileSync(join(run, "manifest.json"), "utf8");
    expectRefused(await qlora(["train", bare, ids, "--steps", "1", "--out", run]), /is a run already\. Go on with it by --resume/);
    expect(readFileSync(join(run, "manifest.json"), "utf8")).toBe(manifest);
    expectRefused(await qloraHere(["train", run, ids]), /is a run, not a model\. Go on with it by --resume/);
    expect((await qloraHere(["plan", run])).code).toBe(0);
    mkdirSync(full);
    writeFileSync(join(full, "mine.txt"), "mine");
    expectRefused(await qloraHere(["train", bare, ids, "--steps", "1", "--out", full]), /is not empty/);
    expectRefused(await qloraHere(["train", "--resume", full]), /not a run folder/);
    expectRefused(await qloraHere(["train", bare, ids, "--steps", "1", "--out", join(full, "mine.txt")]), /mine\.txt is a file/);
    expectRefused(await qloraHere(["train", "--resume", join(folder, "nowhere")]), /nowhere: there is no such folder/);
  });
});

describe("what breaks", () => {
  it("a loss that is no number stops the run with exit code 1, the last good state saved, and advice", async () => {
    const { folder, model, data } = fixtures();
    const run = join(folder, "diverged");
    const broken = await qlora([
      "train",
      model,
      data,
      "--steps",
      "40",
      "--rank",
      "2",
      "--lr",
      "1e30",
      "--clip",
      "0",
      "--no-samples",
      "--out",
      run,
    ]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/^error: step \d+: .*not finite.*lower --lr/);
    expect(broken.events.at(-1)).toMatchObject({ event: "error", name: "DivergedError", exitCode: 1 });
    const evaluated = await qloraHere(["inspect", run, data, "--rows", "0"]);
    expect(evaluated.code).toBe(0);
  });

  it.skipIf(!existsSync("/proc/self"))("a place where no folder can be made is named at once, with exit code 1 (needs /proc)", async () => {
    const { bare, ids } = fixtures();
    const failed = await qloraHere(["train", bare, ids, "--steps", "1", "--rank", "2", "--out", "/proc/qlora/run"]);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/the run folder cannot be made.*Choose another with --out/) });
  });

  it("a place that cannot be written is named, with exit code 1, and what was saved before is unharmed", async () => {
    const { folder, bare, ids } = fixtures();
    const run = join(folder, "unwritable");
    // a file where the saved steps should go: the first save fails
    const failed = await qlora(["train", bare, ids, "--steps", "4", "--save-every", "1", "--rank", "2", "--out", run], {
      onEvent: ({ event }) => {
        if (event === "run" && !existsSync(join(run, "checkpoints"))) writeFileSync(join(run, "checkpoints"), "");
      },
    });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/checkpoints/);
    expect(failed.events.at(-1)).toMatchObject({ event: "error", name: "StorageError", exitCode: 1 });
  });
});

function cut(path: string, bytes: number): void {
  const file = readFileSync(path);
  writeFileSync(path, bytes < 0 ? file.subarray(0, -bytes) : file.subarray(0, file.length - bytes));
}
