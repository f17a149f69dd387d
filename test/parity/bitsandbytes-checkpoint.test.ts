// 4-bit checkpoints of bitsandbytes, both ways: those that transformers saved are used as they are and compute what transformers computes from them; ours have
// the bytes of theirs (reference/FAMILIES.md).
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { type Backend, FrozenPager, fp4, nf4, type QFormat } from "@qlora-js/core";
import {
  type LanguageModel,
  linearModules,
  memoryFolder,
  mergedFiles,
  openModelFiles,
  openPeftAdapter,
  QuantizedLinear,
  readModelConfig,
  UsageError,
} from "@qlora-js/qlora";
import { openFolder, openSafetensorsFile, writeModelFolder, writeQuantizedFolder } from "@qlora-js/qlora/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  continueGreedily,
  FAMILIES_FOLDER,
  goldenInputs,
  goldenTensors,
  hasFamilies,
  type Inputs,
  loadFolder,
  logitsOf,
  worstLogit,
} from "../reference/families.ts";
import { hasSmolLm2, SMOLLM2_REFERENCE, smolLm2Folder } from "../reference/smollm2.ts";

const reference = resolve(import.meta.dirname, "../../../shared/reference");
const families = FAMILIES_FOLDER;
const present = hasFamilies;
const reason = present ? "" : " (skipped: ../shared/reference is absent)";
/** Ten times float32's own noise (FAMILIES.md). */
const TOLERANCE = 5e-5;
/** Of these the reference holds the 4-bit checkpoint itself. */
const SAVED = ["llama", "qwen2"];
/** Of these it holds what the 4-bit model computes. */
const FAMILIES = readFamilies();

function readFamilies(): string[] {
  return present ? readdirSync(families).filter((name) => existsSync(join(families, name, "golden.safetensors"))) : ["every family"];
}

let backend: Backend;
let scratch: string;
beforeAll(async () => {
  backend = await createCpuBackend({ threads: 1 });
  scratch = mkdtempSync(join(tmpdir(), "qlora-bnb-"));
});
afterEach(() => expect(backend.memory().liveBuffers, "live buffers after the test").toBe(0));
afterAll(() => {
  backend.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

const load = (path: string, format: QFormat | null, pager?: FrozenPager): Promise<LanguageModel> =>
  loadFolder(backend, path, format, pager ? { pager } : {});

/** Writes `path` in 4 bits and says where. */
async function quantized(path: string, name: string, format: QFormat, maxShardBytes = Number.MAX_SAFE_INTEGER): Promise<string> {
  const folder = await openFolder(path);
  const files = await openModelFiles(folder);
  const to = join(scratch, name);
  try {
    await writeQuantizedFolder(to, folder, await readModelConfig(folder), files, { backend, format, maxShardBytes });
    return to;
  } finally {
    await files.close();
  }
}

interface Golden {
  readonly inputs: Inputs;
  /** Places where logits mean something. */
  readonly mask: Int32Array;
  /** What transformers computes with the model in NF4 + double quantization. */
  readonly logits: Float32Array;
}

async function openGolden(family: string): Promise<Golden> {
  const tensors = await goldenTensors(join(families, family, "golden.safetensors"));
  return { ...goldenInputs(tensors), logits: tensors.get("nf4.logits") as Float32Array };
}

/** How far logits are from transformers', at the worst. */
const difference = async (model: LanguageModel, { inputs, mask, logits }: Golden): Promise<number> =>
  worstLogit(await logitsOf(model, inputs), logits, mask);

describe.skipIf(!present).each(SAVED)(`the checkpoint that transformers saved of %s${reason}`, (family) => {
  const theirs = join(families, family, "bnb4");
  let golden: Golden;
  beforeAll(async () => {
    golden = await openGolden(family);
  });

  it("computes what transformers computes from it", async () => {
    const model = await load(theirs, nf4());
    expect(await difference(model, golden)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("is on the device as it is in the file, byte for byte", async () => {
    const model = await load(theirs, null);
    const file = await openSafetensorsFile(join(theirs, "model.safetensors"));
    const endings = ["", ".absmax", ".nested_absmax"];
    const linears = [...model.linears()];
    expect(linears.length).toBeGreaterThan(0);
    for (const [name, linear] of linears) {
      const tensors = (linear as QuantizedLinear).weight.tensors();
      for (const [i, ending] of endings.entries())
        expect(await tensors[i]!.readBytes(), name + ending).toEqual(await file.tensors.get(`${name}.weight${ending}`)!.read());
      const state = new TextDecoder().decode(await file.tensors.get(`${name}.weight.quant_state.bitsandbytes__nf4`)!.read());
      expect(await tensors[3]!.item()).toBe((JSON.parse(state) as { nested_offset: number }).nested_offset);
    }
    await file.close();
    model.dispose();
  });

  it("computes the same bits a layer at a time, and continues a text as the 16-bit model in the same format does", async () => {
    const [whole, fresh] = [await load(theirs, null), await load(join(families, family), nf4())];
    const pager = new FrozenPager(backend, { budgetBytes: 40_000 });
    const paged = await load(theirs, null, pager);
    expect(await logitsOf(paged, golden.inputs)).toEqual(await logitsOf(whole, golden.inputs));
    expect(pager.counters.faults).toBeGreaterThan(0);
    const prompt = [...(golden.inputs.inputIds as Int32Array).slice(0, 8)];
    expect(await continueGreedily(whole, prompt, 16)).toEqual(await continueGreedily(fresh, prompt, 16));
    for (const model of [whole, fresh, paged]) model.dispose();
  });

  it("is written by us from the model, and from itself, with the same bytes", async () => {
    for (const [source, name] of [
      [join(families, family), "made"],
      [theirs, "again"],
    ] as const) {
      const ours = await quantized(source, `${family}-${name}`, nf4());
      for (const file of ["model.safetensors", "config.json"])
        expect(readFileSync(join(ours, file)).equals(readFileSync(join(theirs, file))), `${name}: ${file}`).toBe(true);
    }
  });

  it("dequantized is a model of its own, with no word of quantization", async () => {
    const folder = await openFolder(theirs);
    const files = await openModelFiles(folder);
    const to = join(scratch, `${family}-dequantized`);
    await writeModelFolder(to, folder, files, { maxShardBytes: 1e9 });
    await files.close();
    expect(readFileSync(join(to, "config.json"), "utf8")).toBe(readFileSync(join(families, family, "config.json"), "utf8"));
    const model = await load(to, null);
    expect([...model.linears().values()].some((linear) => linear instanceof QuantizedLinear)).toBe(false);
    expect(await difference(model, golden)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("is not quantized a second time", async () => {
    await expect(load(theirs, fp4())).rejects.toThrow(UsageError);
    await expect(load(theirs, nf4({ blockSize: 128 }))).rejects.toThrow(
      /as NF4 \+ double quantization, and NF4 .* blocks of 128 is asked for/,
    );
    await expect(quantized(theirs, `${family}-fp4`, fp4())).rejects.toThrow(UsageError);
  });
});

describe.skipIf(!present).each(FAMILIES)(`%s in 4 bits, written and read${reason}`, (family) => {
  it("computes what transformers + bitsandbytes compute, from one file and from shards", async () => {
    const golden = await openGolden(family);
    for (const bytes of [Number.MAX_SAFE_INTEGER, 40_000]) {
      const model = await load(await quantized(join(families, family), `${family}-${bytes}`, nf4(), bytes), null);
      expect([...model.linears().values()].some((linear) => linear instanceof QuantizedLinear)).toBe(true);
      expect(await difference(model, golden)).toBeLessThan(TOLERANCE);
      model.dispose();
    }
  });
});

it.skipIf(!present).each(["llama", "gpt2"])(
  `an adapter is merged into %s's 4-bit weights as into what 4 bits leave of the 16-bit ones${reason}`,
  async (family) => {
    const [own, four] = [join(families, family), await quantized(join(families, family), `${family}-to-merge`, nf4())];
    const config = await readModelConfig(await openFolder(own));
    const adapter = await openPeftAdapter(await openFolder(join(own, "adapter")), linearModules(config));
    const [plain, packed] = [await openModelFiles(await openFolder(own)), await openModelFiles(await openFolder(four))];
    const common = { backend, config, adapter, precision: "file" } as const;
    const merged = mergedFiles({ ...common, files: packed, base: null });
    for (const [name, expected] of mergedFiles({ ...common, files: plain, base: nf4() }).tensors) {
      const found = merged.tensors.get(name)!;
      expect(found.shape, name).toEqual(expected.shape);
      const [a, b] = [new Float32Array((await found.read()).buffer), new Float32Array((await expected.read()).buffer)];
      expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!))), name).toBeLessThan(1e-6); // the mean of the scales differs in its last bit
    }
    for (const open of [adapter, plain, packed]) await open.close();
  },
);

describe.skipIf(!present)(`a layer that bitsandbytes saved alone${reason}`, () => {
  it.each(["nf4_dq", "nf4_nodq", "fp4_dq", "fp4_nodq"])("is read: %s", async (kind) => {
    const bytes = readFileSync(join(reference, "bitsandbytes", `linear4bit_${kind}.safetensors`));
    const { tensors } = await openModelFiles(memoryFolder(new Map([["model.safetensors", bytes]])));
    const [[name, weight]] = [...tensors].filter(([, { packed }]) => packed) as [[string, NonNullable<ReturnType<typeof tensors.get>>]];
    expect(name).toMatch(/weight$/);
    expect(weight).toMatchObject({ dtype: "BF16", shape: [96, 192] });
    expect(weight.packed!.format).toMatchObject({ name: kind.slice(0, 3), blockSize: 64, doubleQuant: kind.endsWith("_dq") });
    expect((await weight.read()).byteLength).toBe(2 * 96 * 192);
  });
});

const noSmolLm2 = hasSmolLm2 ? "" : " (skipped: ../shared with SmolLM2 and its reference is absent)";

describe.skipIf(!hasSmolLm2)(`SmolLM2${noSmolLm2}`, () => {
  /** Of model.safetensors as transformers 5.23.0 + bitsandbytes 0.50.2, made exact (reference/exact_bitsandbytes.py), save it from the folder in bfloat16. */
  const SAVED_BY_TRANSFORMERS = "0d63490e30e0163ee405e2449e4d0588b9ec82f08b45319d316eda7e34b72f84";

  it("is written to the byte as transformers + bitsandbytes write it, and answers as they do", async () => {
    const path = await quantized(smolLm2Folder(), "smollm2", nf4());
    const hash = createHash("sha256")
      .update(readFileSync(join(path, "model.safetensors")))
      .digest("hex");
    expect(hash).toBe(SAVED_BY_TRANSFORMERS);
    const golden = JSON.parse(readFileSync(join(SMOLLM2_REFERENCE, "golden.json"), "utf8")) as {
      readonly nf4_dq: { readonly prompts: readonly { readonly ids: number[]; readonly greedy: number[] }[] };
    };
    const model = await load(path, null);
    for (const { ids, greedy } of golden.nf4_dq.prompts) expect(await continueGreedily(model, ids, greedy.length)).toEqual(greedy);
    model.dispose();
  });
});
