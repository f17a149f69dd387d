// The tiny models of every family in ../shared/reference/families (FAMILIES.md there), what the originals compute with them, and how ours is compared.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Backend, type FrozenPager, grad, noGrad, type QFormat, scale, scope, sum } from "@qlora-js/core";
import {
  type Batch,
  generate,
  type LanguageModel,
  type LoraAdapter,
  loadModel,
  logits,
  NOT_SUPERVISED,
  openModelFiles,
  type Recomputation,
  readModelConfig,
  tokenLosses,
} from "@qlora-js/qlora";
import { openFolder, openSafetensorsFile } from "@qlora-js/qlora/node";

export const FAMILIES_FOLDER = resolve(import.meta.dirname, "../../../shared/reference/families");
export const hasFamilies = existsSync(FAMILIES_FOLDER);
/** To end a title with. */
export const WITHOUT_FAMILIES = hasFamilies ? "" : " (skipped: ../shared/reference/families is absent)";

export const DECODER_FAMILIES: readonly string[] = [
  "llama",
  "llama_tied_rope3",
  "mistral",
  "qwen2",
  "qwen3",
  "gemma2",
  "gemma3_text",
  "phi3",
  "gpt2",
  "gpt_neox",
  "smollm3",
  "olmo2",
];
export const FAMILIES: readonly string[] = [...DECODER_FAMILIES, "t5", "t5_v10"];

export type GoldenTensors = ReadonlyMap<string, Float32Array | Int32Array>;

/** What the originals computed: all tensors of a file, integers as 32 bits. */
export async function goldenTensors(path: string): Promise<GoldenTensors> {
  const file = await openSafetensorsFile(path);
  const tensors = new Map<string, Float32Array | Int32Array>();
  for (const [key, t] of file.tensors) {
    const { buffer } = await t.read();
    tensors.set(key, t.dtype === "I64" ? Int32Array.from(new BigInt64Array(buffer), Number) : new Float32Array(buffer));
  }
  await file.close();
  return tensors;
}

export type Inputs = Parameters<LanguageModel["hidden"]>[0];

/** The two rows of a golden file as what a model reads, and the places where logits mean something. */
export function goldenInputs(golden: GoldenTensors): { readonly inputs: Inputs; readonly mask: Int32Array } {
  const [inputIds, seen] = [golden.get("input_ids") as Int32Array, golden.get("attention_mask") as Int32Array];
  const decoded = golden.get("decoder_input_ids") as Int32Array | undefined;
  if (!decoded) return { inputs: { inputIds, batch: 2, length: 24 }, mask: seen };
  const lengths = [0, 24].map((row) => seen.slice(row, row + 24).reduce((a, b) => a + b, 0));
  return {
    inputs: { inputIds: decoded, batch: 2, length: 16, source: { inputIds, length: 24, lengths } },
    mask: new Int32Array(32).fill(1),
  };
}

/** Two rows of so many ids, what is learnt of them, and how many ids that is: a row's first is never predicted. */
export function decoderBatch(inputIds: Int32Array, labels: Int32Array, length: number): Batch {
  const supervised = [...labels].filter((l, i) => i % length > 0 && l !== NOT_SUPERVISED).length;
  return { inputIds, labels, batch: 2, length, supervised, lengths: [length, length], bytes: 0 };
}

/** A model of a folder. */
export async function loadFolder(
  backend: Backend,
  path: string,
  format: QFormat | null,
  { config = "config.json", pager }: { readonly config?: string; readonly pager?: FrozenPager } = {},
): Promise<LanguageModel> {
  const folder = await openFolder(path);
  const files = await openModelFiles(folder);
  try {
    return await loadModel(backend, await readModelConfig(folder, config), files, { format, ...(pager ? { pager } : {}) });
  } finally {
    await files.close();
  }
}

/** Logits of every position. */
export async function logitsOf(model: LanguageModel, inputs: Inputs, starts?: readonly number[]): Promise<Float32Array> {
  const pass = { dropoutKey: null, ...(starts ? { starts } : {}) };
  const result = noGrad(model.backend, () => scope(model.backend, () => logits(model, model.hidden(inputs, pass))));
  const values = await result.read();
  result.dispose();
  return values;
}

/** The largest difference of logits over positions where the mask is 1. */
export function worstLogit(found: Float32Array, expected: Float32Array, mask: Int32Array): number {
  const vocabulary = expected.length / mask.length;
  return expected.reduce((most, x, i) => (mask[Math.floor(i / vocabulary)] ? Math.max(most, Math.abs(x - found[i]!)) : most), 0);
}

/** ‖found − expected‖ / ‖expected‖ */
export function relativeDifference(found: ArrayLike<number>, expected: Float32Array): number {
  let [off, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    off += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(off / norm);
}

/** The mean loss of a batch, and the gradient of each of the adapter's parameters by name. */
export async function lossAndGradients(
  model: LanguageModel,
  adapter: LoraAdapter,
  batch: Batch,
  recompute: readonly Recomputation[],
): Promise<{ loss: number; grads: Map<string, Float32Array> }> {
  const parameters = adapter.parameters();
  const { loss, grads } = scope(model.backend, () => {
    const loss = scale(sum(tokenLosses(model, batch, { dropoutKey: null, recompute })), 1 / batch.supervised);
    return { loss: loss.detach(), grads: grad(loss, [...parameters.values()]) };
  });
  const named = new Map<string, Float32Array>();
  for (const [i, name] of [...parameters.keys()].entries()) named.set(name, await grads[i]!.read());
  const value = await loss.item();
  for (const t of [loss, ...grads]) t.dispose();
  return { loss: value, grads: named };
}

/** What a model says after a prompt, always the most likely. */
export async function continueGreedily(model: LanguageModel, prompt: readonly number[], maxNewTokens = 16): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generate(model, prompt, { maxNewTokens, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [] })) ids.push(id);
  return ids;
}

/** A family's folder. */
export const familyFolder = (name: string): string => join(FAMILIES_FOLDER, name);
