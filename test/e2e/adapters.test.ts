// Every kind of adapter through the real command: what is trained is predicted, goes on to the same bits, and computes again what training measured.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAdapter, readModelConfig } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { expect, it } from "vitest";
import { adapterBytes, named, qlora, qloraHere } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const RUN = ["--no-samples", "--batch", "2", "--accumulate", "1", "--rank", "2", "--alpha", "4", "--lr", "1e-2", "--save-every", "2"];

const KINDS: readonly (readonly [string, readonly string[]])[] = [
  ["DoRA", ["--dora", "--dropout", "0.1"]],
  ["DoRA over plain weights", ["--dora", "--format", "none", "--targets", "q_proj,down_proj"]],
  ["rsLoRA from a gaussian start", ["--rslora", "--init", "gaussian"]],
  ["a random start", ["--init", "random"]],
  ["PiSSA", ["--init", "pissa"]],
  ["rsLoRA from PiSSA by rounds", ["--init", "pissa_niter_4", "--rslora", "--targets", "q_proj,up_proj"]],
  ["PiSSA over plain weights", ["--init", "pissa", "--format", "none"]],
  ["LoftQ", ["--init", "loftq"]],
  ["modules trained whole", ["--modules-to-save", "lm_head,embed_tokens"]],
  ["norms and biases", ["--modules-to-save", "norm", "--bias", "all", "--dora"]],
];

it.each(KINDS)("%s", async (_, kind) => {
  const { folder, model, data } = fixtures();
  const name = kind.join("").replaceAll("-", "");
  const [whole, halves] = [join(folder, `${name}-whole`), join(folder, `${name}-halves`)];
  const ran = await qloraHere(["train", model, data, ...RUN, ...kind, "--steps", "4", "--eval-every", "4", "--out", whole]);
  expect(ran.stderr).toBe("");
  const done = named(ran, "done")[0]!;
  const predicted = (done.deviceBytes as number) / (done.predictedDeviceBytes as number);
  expect(Math.abs(predicted - 1), "the memory against what was predicted").toBeLessThan(0.005);
  expect(new Set(named(ran, "step").map(({ loss }) => loss)).size).toBe(4);

  const first = await qloraHere(["train", model, data, ...RUN, ...kind, "--steps", "2", "--eval-every", "4", "--out", halves]);
  expect(first.stderr).toBe("");
  const second = await qloraHere(["train", "--resume", halves, "--steps", "4", "--eval-every", "4"]);
  expect(second.stderr).toBe("");
  expect(adapterBytes(halves).equals(adapterBytes(whole)), "the bits after a stop").toBe(true);

  const evaluated = await qloraHere(["eval", whole, data, "--batch", "2"]);
  expect(evaluated.stderr).toBe("");
  expect(named(evaluated, "eval")[0]!.loss).toBe(named(ran, "eval").at(-1)!.loss);
  if (kind[0] === "--dora") {
    // measures rows once a text, not once a token
    const said = await qloraHere(["generate", whole, "--prompt", "What is 1 and 1?", "--max-new-tokens", "4"]);
    expect(said.stderr).toBe("");
  }
  expect(readFileSync(join(whole, "adapter", "README.md"), "utf8")).toContain("library_name: peft");
});

it("an adapter that is there is gone on from, whatever its kind, and options that it has answered are refused", async () => {
  const { folder, model, data } = fixtures();
  const [first, next] = [join(folder, "from"), join(folder, "next")];
  const kind = ["--dora", "--modules-to-save", "lm_head"];
  expect((await qloraHere(["train", model, data, ...RUN, ...kind, "--steps", "2", "--out", first])).code).toBe(0);
  const adapter = join(first, "adapter");
  const without = RUN.filter((_, i) => i < 5 || i > 8); // rank and alpha are the adapter's
  expect((await qloraHere(["train", model, data, ...without, "--adapter", adapter, "--steps", "2", "--out", next])).stderr).toBe("");
  const config = JSON.parse(readFileSync(join(next, "adapter", "adapter_config.json"), "utf8"));
  expect(config).toMatchObject({ use_dora: true, modules_to_save: ["lm_head"], r: 2, lora_alpha: 4 });
  const refused = await qloraHere(["train", model, data, "--adapter", adapter, "--dora", "--out", join(folder, "no")]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/--dora: is given, and the adapter .* has its own/);
});

it("a new adapter takes the settings of PEFT's file, and what that answers is not given twice", async () => {
  const { folder, model, data } = fixtures();
  const [file, run] = [join(folder, "adapter_config.json"), join(folder, "configured")];
  const settings = {
    r: 2,
    lora_alpha: 4,
    target_modules: ".*\\.(q|v)_proj",
    exclude_modules: ["0.self_attn.v_proj"],
    rank_pattern: { q_proj: 1 },
  };
  writeFileSync(file, JSON.stringify({ peft_type: "LORA", ...settings }));
  const begin = ["train", model, data, "--no-samples", "--batch", "2", "--accumulate", "1", "--adapter-config", file];
  const steps = ["--steps", "1", "--save-every", "1"];
  expect((await qloraHere([...begin, ...steps, "--out", run])).stderr).toBe("");
  expect(JSON.parse(readFileSync(join(run, "adapter", "adapter_config.json"), "utf8"))).toMatchObject(settings);
  const [base, adapter] = [await openFolder(model), await openFolder(join(run, "adapter"))];
  const stored = await openAdapter(adapter, await readModelConfig(base));
  await stored.close();
  const ranks = [...stored.modules].filter(([name]) => /\.layers\.[01]\./.test(name)).map(([name, { rank }]) => [name.slice(-18), rank]);
  expect(ranks).toEqual([
    ["0.self_attn.q_proj", 1],
    ["1.self_attn.q_proj", 1],
    ["1.self_attn.v_proj", 2],
  ]);
  expect((await qloraHere(["train", "--resume", run, "--steps", "2"])).stderr).toBe("");
  const refused = await qloraHere([...begin, "--rank", "2", "--out", join(folder, "no")]);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("--rank: is given, and the file of --adapter-config has its own"),
  ]);
  writeFileSync(file, JSON.stringify({ peft_type: "LORA", ...settings, target_modules: ["q_proj", "lm_head"] }));
  expect((await qloraHere([...begin, "--out", join(folder, "no")])).stderr).toContain('--adapter-config: "lm_head" names no linear layer');
});

it("several adapters are weighted: none of one is the other, and half and half differs from both", async () => {
  const { folder, model, data } = fixtures();
  const [a, b] = [join(folder, "a"), join(folder, "b")];
  for (const [out, seed] of [
    [a, "1"],
    [b, "2"],
  ] as const)
    expect((await qloraHere(["train", model, data, ...RUN, "--steps", "3", "--seed", seed, "--out", out])).code).toBe(0);
  const loss = async (...adapters: string[]): Promise<unknown> => {
    const result = await qloraHere(["eval", model, data, "--batch", "2", ...adapters.flatMap((adapter) => ["--adapter", adapter])]);
    expect(result.stderr).toBe("");
    return named(result, "eval")[0]!.loss;
  };
  const [inA, inB] = [join(a, "adapter"), join(b, "adapter")];
  const [base, onlyA, onlyB] = [await loss(), await loss(inA), await loss(inB)];
  expect(await loss(inA, `${inB}=0`)).toBe(onlyA);
  expect(await loss(`${inA}=0`, inB)).toBe(onlyB);
  expect(await loss(`${inA}=0`)).toBe(base);
  expect(new Set([base, onlyA, onlyB, await loss(`${inA}=0.5`, `${inB}=0.5`), await loss(inA, inB)]).size).toBe(5);
});

it("what cannot be combined, or is not there, is refused by name", async () => {
  const { folder, model, data } = fixtures();
  const run = join(folder, "dora-one");
  expect((await qloraHere(["train", model, data, ...RUN, "--dora", "--steps", "1", "--out", run])).code).toBe(0);
  const adapter = join(run, "adapter");
  const refused = async (args: string[], message: RegExp): Promise<void> => {
    const result = await qloraHere(args);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
  };
  await refused(["eval", model, data, "--adapter", `${adapter}=0.5`], /--adapter: is a DoRA, .* weight cannot be 0\.5/);
  await refused(["eval", model, data, "--adapter", adapter, "--adapter", adapter], /--adapter: is a DoRA, .* cannot be combined/);
  await refused(["train", model, data, "--init", "loftq", "--format", "none", "--out", join(folder, "x1")], /--init: is loftq/);
  await refused(["train", model, data, "--init", "pissa", "--dora", "--out", join(folder, "x2")], /--init: is pissa, .* --dora/);
  await refused(["train", model, data, "--init", "olora", "--out", join(folder, "x3")], /--init: is "olora"\. Give default, gaussian/);
  await refused(
    ["train", model, data, "--modules-to-save", "mlp", "--out", join(folder, "x4")],
    /--modules-to-save: .*"mlp" names no module/,
  );
  expect(existsSync(join(folder, "x1"))).toBe(false);
});

it("is exported to MLX and from there to PEFT again", async () => {
  const { folder, model, data } = fixtures();
  const run = join(folder, "for-mlx");
  expect((await qloraHere(["train", model, data, ...RUN, "--dora", "--steps", "1", "--out", run])).code).toBe(0);
  const [mlx, peft] = [join(folder, "mlx"), join(folder, "peft")];
  expect((await qlora(["export", model, "--adapter", join(run, "adapter"), "--as", "mlx", "--to", mlx])).stderr).toBe("");
  expect((await qloraHere(["export", model, "--adapter", mlx, "--as", "peft", "--to", peft])).stderr).toBe("");
  const config = await readModelConfig(await openFolder(model));
  const read = async (path: string) => {
    const adapter = await openAdapter(await openFolder(path), config);
    const modules = await Promise.all(
      [...adapter.modules].map(async ([name, { a, b, scale }]) => [name, scale, await a.read(), await b.read()]),
    );
    await adapter.close();
    return modules;
  };
  expect(await read(peft)).toEqual(await read(join(run, "adapter")));
  const further = await qloraHere([
    "train",
    model,
    data,
    ...RUN.slice(0, 5),
    "--adapter",
    mlx,
    "--steps",
    "1",
    "--out",
    join(folder, "further"),
  ]);
  expect(further.stderr).toBe("");
});
