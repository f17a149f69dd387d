// The command on a GGUF file, whose metadata and tensors are all there is to a model.
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type DecoderConfig, ggufModel, openModelFiles, readModelConfig, readTokenizerFiles, Tokenizer } from "@qlora-js/qlora";
import { openFolder, writeGgufFile } from "@qlora-js/qlora/node";
import { beforeAll, describe, expect, it } from "vitest";
import { named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const TRAIN = ["--steps", "2", "--batch", "2", "--rank", "4", "--lr", "5e-3", "--eval-every", "2"];

/** Writes the tiny model as a GGUF file. */
async function asGguf(path: string, type: "F32" | "Q8_0"): Promise<string> {
  const folder = await openFolder(fixtures().model);
  const files = await openModelFiles(folder);
  const text = (await readTokenizerFiles(folder))!;
  const config = (await readModelConfig(folder)) as DecoderConfig;
  const source = { name: "tiny", config, files, text: { files: text, tokenizer: Tokenizer.from(text) } };
  const { metadata, tensors } = ggufModel(source, type);
  await writeGgufFile(path, metadata, tensors);
  await files.close();
  return path;
}

describe("a GGUF file", () => {
  let gguf: string;
  let run: string;
  let trained: Result;
  beforeAll(async () => {
    const { folder, data } = fixtures();
    gguf = await asGguf(join(folder, "tiny.gguf"), "F32");
    run = join(folder, "run");
    trained = await qlora(["train", gguf, data, ...TRAIN, "--out", run]);
  });

  it("trains as the folder it was made from: every loss is the same", async () => {
    expect([trained.stderr, trained.code]).toEqual(["", 0]);
    const { folder, model, data } = fixtures();
    const original = await qloraHere(["train", model, data, ...TRAIN, "--out", join(folder, "original")]);
    for (const event of ["step", "eval"])
      expect(named(trained, event).map(({ loss }) => loss)).toEqual(named(original, event).map(({ loss }) => loss));
    expect(named(trained, "sample").map(({ text }) => text)).toEqual(named(original, "sample").map(({ text }) => text));
  });

  it("is what the run says it was made from, by its hash", () => {
    const { model } = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8")) as {
      model: { path: string; files: { file: string }[] };
    };
    expect(model.path).toBe(gguf);
    expect(model.files.map(({ file }) => file)).toEqual(["tiny.gguf"]);
    const adapter = JSON.parse(readFileSync(join(run, "adapter", "adapter_config.json"), "utf8")) as object;
    expect(adapter).toMatchObject({
      base_model_name_or_path: gguf,
      target_modules: expect.arrayContaining(["model.layers.0.self_attn.q_proj"]),
    });
  });

  it("is found again by the run: to go on with, to evaluate and to answer", async () => {
    const { data } = fixtures();
    const evaluated = await qloraHere(["eval", run, data]);
    expect(named(evaluated, "eval")[0]!.loss).toBeCloseTo(named(trained, "eval").at(-1)!.loss as number, 5);
    const answered = await qloraHere(["generate", run, "--prompt", "What is 1 and 1?", "--max-new-tokens", "4"]);
    expect([answered.stderr, answered.code]).toEqual(["", 0]);
    const resumed = await qloraHere(["train", "--resume", run, "--steps", "3"]);
    expect(named(resumed, "step").map(({ step }) => step)).toEqual([3]);
  });

  it("is planned for and looked at", async () => {
    const { data } = fixtures();
    expect(named(await qloraHere(["plan", gguf, data]), "plan")[0]).toMatchObject({ model: gguf, parameters: 127_296 });
    expect(named(await qloraHere(["inspect", gguf, data, "--rows", "1"]), "data")[0]).toMatchObject({
      train: { rows: 10, bos: { once: 10 } },
    });
  });

  it("may be given as the folder that holds it alone, not as one among several", async () => {
    const { folder, data } = fixtures();
    const home = join(folder, "home");
    mkdirSync(home);
    renameSync(await asGguf(join(folder, "a.gguf"), "Q8_0"), join(home, "a.gguf"));
    expect((await qloraHere(["eval", home, data])).code).toBe(0);
    await asGguf(join(home, "b.gguf"), "Q8_0");
    const refused = await qloraHere(["eval", home, data]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${home}: holds 2 GGUF files: a.gguf, b.gguf. Give the path of one.`);
  });
});
