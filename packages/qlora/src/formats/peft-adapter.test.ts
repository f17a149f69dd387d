import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ArgumentError, FormatError } from "@qlora-js/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readModelConfig } from "../config/model-config.ts";
import type { LinearModule } from "../config/model-part.ts";
import { linearModules } from "../config/model-parts.ts";
import { parseModelConfig } from "../config/parse-model-config.ts";
import { AdapterMismatchError, UsageError } from "../error.ts";
import { adapterTensors, type LoraToStore } from "./adapter-tensors.ts";
import { memoryFolder } from "./folder.ts";
import { openFolder } from "./node-folder.ts";
import { openAdapter } from "./open-adapter.ts";
import { openPeftAdapter, type PeftAdapter } from "./peft-adapter.ts";
import { formatPeftConfig, type LoraSettings, loraSettings } from "./peft-config.ts";
import { writePeftAdapter } from "./peft-writer.ts";
import type { StoredTensor } from "./safetensors.ts";
import { encodeSafetensors, type TensorToStore } from "./safetensors-layout.ts";

const families = fileURLToPath(new URL("../../../../../shared/reference/families/", import.meta.url));
const smollm2 = fileURLToPath(new URL("../../../../../shared/reference/smollm2/", import.meta.url));

const linear = (name: string, outFeatures: number, inFeatures: number): LinearModule => {
  return { kind: "linear", name, outFeatures, inFeatures, bias: false, layer: 0, transposed: false, keep: false };
};
const base = [linear("model.layers.0.q_proj", 4, 3), linear("model.layers.0.up_proj", 5, 3), linear("model.layers.1.q_proj", 4, 3)];

const f32 = (...shape: number[]) => ({ shape, dtype: "F32" as const, data: new Uint8Array(4 * shape.reduce((n, d) => n * d, 1)) });
const loraOf = ({ name, outFeatures, inFeatures }: LinearModule, rank = 2): LoraToStore => ({
  module: name,
  a: f32(rank, inFeatures),
  b: f32(outFeatures, rank),
});
const settings = (given: Partial<LoraSettings> = {}) => loraSettings({ rank: 2, alpha: 4, targetModules: ["q_proj"], ...given });

/** An adapter's folder in memory, with changes to what a sound one holds. */
async function folderOf(
  change: (tensors: TensorToStore[]) => TensorToStore[] = (t) => t,
  given: Partial<LoraSettings> = {},
  more: Record<string, string> = {},
) {
  const chosen = base.filter(({ name }) => name.endsWith("q_proj"));
  const tensors = change(
    adapterTensors(
      settings(),
      chosen.map((m) => loraOf(m)),
    ),
  );
  const files = { "adapter_config.json": formatPeftConfig(settings(given)), ...more };
  const map = new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)]));
  return memoryFolder(map.set("adapter_model.safetensors", await encodeSafetensors(tensors)), "a");
}
const without = (part: string) => (tensors: TensorToStore[]) => tensors.filter(({ name }) => !name.includes(part));
const renamed = (from: string, to: string) => (tensors: TensorToStore[]) => tensors.map((t) => ({ ...t, name: t.name.replace(from, to) }));

/** DoRA's tensor for each A. */
const withLengths = (tensors: TensorToStore[]) => [
  ...tensors,
  ...tensors.flatMap((t) =>
    t.name.includes("lora_A") ? [{ name: t.name.replace("lora_A.weight", "lora_magnitude_vector"), ...f32(4) }] : [],
  ),
];

test("a DoRA gives the lengths of rows too, also under the name that older versions of PEFT had", async () => {
  const older = (t: TensorToStore[]) => renamed("_vector", "_vector.weight")(withLengths(t));
  for (const change of [withLengths, older]) {
    const adapter = await openPeftAdapter(await folderOf(change, { useDora: true }), base);
    expect(adapter.modules.get("model.layers.1.q_proj")?.magnitude?.shape).toEqual([4]);
    await adapter.close();
  }
});

test("an adapter gives its modules in the model's order, with rank, scale and matrices", async () => {
  const adapter = await openPeftAdapter(await folderOf(), base);
  expect([...adapter.modules.keys()]).toEqual(["model.layers.0.q_proj", "model.layers.1.q_proj"]);
  const lora = adapter.modules.get("model.layers.1.q_proj");
  expect(lora).toMatchObject({ rank: 2, alpha: 4, scale: 2, a: { shape: [2, 3] }, b: { shape: [4, 2] } });
  expect(await lora?.b.read()).toHaveLength(32);
  await adapter.close();
});

describe("an adapter for another base names the first module that does not fit:", () => {
  test.each<[string, LinearModule[], object, RegExp]>([
    [
      "other widths",
      base.map((m) => ({ ...m, inFeatures: 9 })),
      { module: "model.layers.0.q_proj", expected: [2, 9], found: [2, 3] },
      /lora_A should be \[2, 9\], and is \[2, 3\]/,
    ],
    [
      "other heights",
      base.map((m) => ({ ...m, outFeatures: 9 })),
      { module: "model.layers.0.q_proj", expected: [9, 2], found: [4, 2] },
      /lora_B should be \[9, 2\]/,
    ],
    [
      "more layers",
      [...base, linear("model.layers.2.q_proj", 4, 3)],
      { module: "model.layers.2.q_proj", expected: [2, 3], found: undefined },
      /holds no tensors for it/,
    ],
    [
      "fewer layers",
      base.slice(0, 2),
      { module: "model.layers.1.q_proj", expected: undefined, found: [2, 3] },
      /not a linear layer of the base/,
    ],
    ["other names", [linear("h.0.c_attn", 4, 3)], { module: "model.layers.0.q_proj" }, /not a linear layer of the base/],
  ])("%s", async (_, modules, fields, message) => {
    const opening = openPeftAdapter(await folderOf(), modules);
    await expect(opening).rejects.toThrow(AdapterMismatchError);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toMatchObject(fields);
    await expect(opening).rejects.toThrow(message);
  });
});

describe("config and tensors that disagree are refused:", () => {
  test.each<[string, Parameters<typeof folderOf>, RegExp]>([
    [
      "a B without its A",
      [without("layers.0.q_proj.lora_A")],
      /lacks the tensor "base_model\.model\.model\.layers\.0\.q_proj\.lora_A\.weight"/,
    ],
    ["an A without its B", [without("layers.1.q_proj.lora_B")], /lacks the tensor ".*layers\.1\.q_proj\.lora_B\.weight"/],
    ["another rank", [undefined, { rank: 3 }], /is \[2, 3\], but adapter_config\.json gives model\.layers\.0\.q_proj rank 3/],
    ["another rank by pattern", [undefined, { rankPattern: [["1.q_proj", 7]] }], /gives model\.layers\.1\.q_proj rank 7/],
    [
      "a module the config does not name",
      [undefined, { targetModules: ["0.q_proj"] }],
      /holds tensors for "model\.layers\.1\.q_proj", which target_modules .* does not name/,
    ],
    ["lengths of rows without DoRA", [withLengths], /holds the tensor .*lora_magnitude_vector".* use_dora is false/],
    ["DoRA without lengths of rows", [undefined, { useDora: true }], /lacks the tensor .*lora_magnitude_vector".* use_dora is true/],
    ["keys without PEFT's prefix", [renamed("base_model.model.", "")], /does not start with base_model\.model\./],
    ["keys of no kind", [renamed("lora_A.weight", "lora_C")], /none of LoRA's/],
    ["numbers of another type", [(t) => t.map((x) => ({ ...x, dtype: "I32" as const }))], /of type I32/],
    ["matrices of three dimensions", [(t) => t.map((x) => ({ ...x, shape: [...x.shape, 1] }))], /should be \[2, 3\], and is \[2, 3, 1\]/],
  ])("%s", async (_, args, message) => {
    const opening = openPeftAdapter(await folderOf(...args), base);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toSatisfy((e) => e instanceof FormatError || e instanceof AdapterMismatchError);
  });
});

describe("tensors of what is not done here are refused by name, as the user's choice:", () => {
  test.each([
    ["lora_A.weight", "lora_embedding_A", /LoRA on embeddings/],
    ["lora_A.weight", "lora_A.bias", /bias on LoRA's matrices/],
    ["lora_A.weight", "lora_A.default.weight", /an adapter's name in its keys/],
    ["lora_A.weight", "weight", /"model\.layers\.0\.q_proj\.weight" whole, which neither modules_to_save nor bias/],
  ])("%s as %s", async (from, to, message) => {
    const whole = to === "weight" ? (t: TensorToStore[]) => [...t, { ...t[0]!, name: t[0]!.name.replace(from, to) }] : renamed(from, to);
    const opening = openPeftAdapter(await folderOf(whole), base);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });
});

describe("a folder that is no adapter's is the user's error:", () => {
  const opening = (...names: string[]) => {
    const config = new TextEncoder().encode(formatPeftConfig(settings()));
    return openPeftAdapter(memoryFolder(new Map(names.map((name) => [name, config])), "a"), base);
  };
  test("without a config it says what is there", async () => {
    await expect(opening("model.safetensors")).rejects.toThrow(UsageError);
    await expect(opening("model.safetensors")).rejects.toThrow(/^a: has no adapter_config\.json.*It holds model\.safetensors/);
  });
  test("with a pickle it says how to convert it", async () => {
    await expect(opening("adapter_config.json", "adapter_model.bin")).rejects.toThrow(UsageError);
    await expect(opening("adapter_config.json", "adapter_model.bin")).rejects.toThrow(/a pickle.*save_pretrained/);
  });
  test("without weights it says so", async () => {
    await expect(opening("adapter_config.json")).rejects.toThrow(/has no adapter_model\.safetensors\. It holds adapter_config\.json/);
  });
  test("whose targets name nothing says so", async () => {
    await expect(openPeftAdapter(await folderOf(() => [], { targetModules: ["x"] }), base)).rejects.toThrow(
      /\["x"\] name no module of the base model/,
    );
  });
});

describe("writing", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "qlora-adapter-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("gives a folder that is read again, and can be replaced", async () => {
    for (const rank of [2, 3]) {
      const given = settings({ rank, targetModules: "all-linear", baseModel: "b" });
      await writePeftAdapter(
        join(folder, "adapter"),
        given,
        base.map((m) => loraOf(m, rank)),
      );
      const adapter = await openPeftAdapter(await openFolder(join(folder, "adapter")), base);
      expect(adapter.settings).toEqual(given);
      expect([...adapter.modules.values()].map((m) => m.rank)).toEqual([rank, rank, rank]);
      await adapter.close();
    }
    expect(await readdir(folder)).toEqual(["adapter"]);
    expect((await readdir(join(folder, "adapter"))).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  });

  test("refuses matrices of another rank, and modules the settings do not name", async () => {
    const write = (loras: LoraToStore[]) => writePeftAdapter(join(folder, "adapter"), settings(), loras);
    await expect(write([loraOf(base[0]!, 3)])).rejects.toThrow(ArgumentError);
    await expect(write([loraOf(base[1]!)])).rejects.toThrow(/do not name "model\.layers\.0\.up_proj"/);
    expect(await readdir(folder)).toEqual([]);
  });

  describe.skipIf(!existsSync(families))("what PEFT wrote (skipped without ../shared/reference)", () => {
    const stored = (t: StoredTensor) => ({ ...t, data: () => t.read() });
    const store = ({ modules }: PeftAdapter): LoraToStore[] =>
      [...modules].map(([module, { a, b, magnitude }]) => ({
        module,
        a: stored(a),
        b: stored(b),
        ...(magnitude ? { magnitude: stored(magnitude) } : {}),
      }));
    const variants = ["adapter", "adapter_rslora", "adapter_patterns", "adapter_layers", "adapter_dora", "adapter_modules_to_save"];

    test.each(variants)("gives the bytes of %s again", async (name) => {
      const config = await readModelConfig(await openFolder(`${families}llama`));
      const source = `${families}llama/${name}`;
      const adapter = await openAdapter(await openFolder(source), config);
      const whole = [...adapter.whole].map(([, t]) => ({ module: "lm_head", ending: "weight" as const, tensor: stored(t) }));
      await writePeftAdapter(join(folder, name), adapter.settings, store(adapter), { whole });
      await adapter.close();
      const file = "adapter_model.safetensors";
      expect(Buffer.compare(readFileSync(join(folder, name, file)), readFileSync(join(source, file)))).toBe(0);
    });
  });
});

describe.skipIf(!existsSync(families))("adapters that PEFT wrote (skipped without ../shared/reference)", () => {
  const open = async (name: string) => {
    const config = await readModelConfig(await openFolder(`${families}llama`));
    return openPeftAdapter(await openFolder(`${families}llama/${name}`), linearModules(config));
  };
  const summary = async (name: string) => {
    const adapter = await open(name);
    await adapter.close();
    return Object.fromEntries(
      [...adapter.modules].map(([module, { rank, scale }]) => [module.replace("model.layers.", ""), [rank, scale]]),
    );
  };

  test("all-linear adapts every linear layer", async () => {
    const modules = await summary("adapter");
    expect(Object.keys(modules)).toHaveLength(14);
    expect(new Set(Object.values(modules).map(String))).toEqual(new Set(["4,2"]));
  });

  test("patterns give each module its rank and scale", async () => {
    expect(await summary("adapter_patterns")).toEqual({
      "0.self_attn.q_proj": [6, 3 / 6],
      "0.mlp.down_proj": [2, 8 / 2],
      "1.self_attn.q_proj": [4, 3 / 4],
      "1.mlp.down_proj": [2, 8 / 2],
    });
  });

  test("layers_to_transform chooses layers, and rsLoRA divides by the root", async () => {
    expect(await summary("adapter_layers")).toEqual({ "1.self_attn.q_proj": [4, 2], "1.mlp.up_proj": [4, 2] });
    expect(new Set(Object.values(await summary("adapter_rslora")).map(String))).toEqual(new Set(["4,4"]));
  });

  test("a module saved whole is there by the model's name, and needs the model's other tensors to be known", async () => {
    await expect(open("adapter_modules_to_save")).rejects.toThrow(/trains modules or biases of the model whole/);
    const config = await readModelConfig(await openFolder(`${families}llama`));
    const adapter = await openAdapter(await openFolder(`${families}llama/adapter_modules_to_save`), config);
    expect([...adapter.whole].map(([name, { shape }]) => [name, shape])).toEqual([["lm_head.weight", [256, 64]]]);
    await adapter.close();
    const other = await readModelConfig(await openFolder(`${families}qwen3`));
    await expect(openAdapter(await openFolder(`${families}llama/adapter_modules_to_save`), other)).rejects.toThrow(AdapterMismatchError);
  });

  test("one for SmolLM2 fits SmolLM2, and the tiny Llama's does not", async () => {
    const shape = {
      model_type: "llama",
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      vocab_size: 49152,
    };
    const modules = linearModules(parseModelConfig(shape));
    const adapter = await openPeftAdapter(await openFolder(`${smollm2}adapter`), modules);
    expect(adapter.modules.size).toBe(210);
    await adapter.close();
    const other = openPeftAdapter(await openFolder(`${families}llama/adapter`), modules);
    await expect(other).rejects.toMatchObject({
      name: "AdapterMismatchError",
      module: "model.layers.0.self_attn.q_proj",
      expected: [4, 576],
      found: [4, 64],
    });
  });
});
