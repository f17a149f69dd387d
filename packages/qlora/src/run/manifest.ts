// A run's manifest: what it was made from and with which options, so that it can be told apart, repeated and gone on with. Node only.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "@qlora-js/core";
import { z } from "zod";
import { UsageError } from "../error.ts";
import type { LoraInit } from "../formats/peft-config.ts";
import { checkJson } from "../formats/read-json.ts";
import { writeFileSafely } from "../safe-write.ts";
import { MANIFEST } from "./run-folder.ts";

const hashed = z.object({ file: z.string(), bytes: z.number(), sha256: z.string() });
/** Of a split in several files: the first, how many, and the bytes and hash of all, one after another. */
const split = hashed.extend({ files: z.int().positive().optional() });
const source = z.object({ path: z.string(), files: z.array(hashed) });

/** The options of `train` by their names in code, resolved. Absent ones are null, so that the file shows them. */
const options = z.object({
  steps: z.int().positive(),
  batch: z.int().positive(),
  accumulate: z.int().positive(),
  lr: z.number(),
  schedule: z.enum(["constant", "linear", "cosine"]),
  warmup: z.int().nonnegative(),
  rank: z.int().positive(),
  alpha: z.number(),
  dropout: z.number(),
  targets: z.union([z.string(), z.array(z.string())]),
  dora: z.boolean().default(false),
  rslora: z.boolean().default(false),
  init: z
    .string()
    .default("default")
    .transform((x) => x as LoraInit),
  modulesToSave: z.array(z.string()).default([]),
  bias: z.enum(["none", "all", "lora_only"]).default("none"),
  /** What the file of `--adapter-config` said. */
  adapterConfig: z.string().nullable().default(null),
  weightDecay: z.number(),
  clip: z.number(),
  optimizer: z.enum(["adamw", "adamw8bit"]),
  format: z.enum(["nf4", "fp4", "none"]),
  blockSize: z.int(),
  doubleQuant: z.boolean(),
  maxLength: z.int().nullable(),
  order: z.enum(["shuffle", "file"]),
  seed: z.int(),
  pagerBudget: z.number().nullable(),
  checkpointing: z.boolean(),
  saveEvery: z.int().positive(),
  evalEvery: z.int().positive(),
});

const schema = z.object({
  kind: z.literal("qlora run"),
  created: z.string(),
  versions: z.record(z.string(), z.string()),
  backend: z.object({ name: z.string(), threads: z.int().optional(), device: z.string().optional() }),
  model: source,
  data: z.object({ path: z.string(), train: split, valid: split.nullable() }),
  /** The adapter the run started from. */
  adapter: source.nullable(),
  options,
});

export type Manifest = z.infer<typeof schema>;
export type RunOptions = z.infer<typeof options>;

/**
 * Reads a run's manifest.
 * @throws UsageError if the folder has none
 * @throws FormatError if it is not one
 */
export async function readManifest(run: string): Promise<Manifest> {
  const path = join(run, MANIFEST);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const missing = await stat(run).then(
      () => `has no ${MANIFEST}, so it is not a run folder.`,
      () => "there is no such folder.",
    );
    throw new UsageError(run, `${missing} Give the folder that train has left.`, { run }, { cause });
  }
  try {
    return checkJson(path, schema, JSON.parse(text));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(path, `is not JSON (${(cause as Error).message}).`, { cause });
  }
}

/** @throws StorageError if it cannot be written */
export const writeManifest = (run: string, manifest: Manifest): Promise<void> =>
  writeFileSafely(join(run, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`);

/** The options that may differ when a run is gone on with: they change how it is computed and shown, and no number of the steps done. */
const FREE: ReadonlySet<string> = new Set(["steps", "pagerBudget", "checkpointing", "saveEvery", "evalEvery"]);

/**
 * Checks that going on gives the numbers the run would have given.
 * @throws UsageError with the first difference
 */
export function checkSameRun(run: string, saved: Manifest, now: Manifest): void {
  const differs = (what: string, was: unknown, is: unknown): never => {
    const words = `${what} differs: the run has ${JSON.stringify(was)}, and this is ${JSON.stringify(is)}. Leave it as it was, or start a new run.`;
    throw new UsageError(`--resume ${run}`, words, { what, was, is });
  };
  for (const [name, was] of Object.entries(saved.options)) {
    const is = now.options[name as keyof RunOptions];
    if (!FREE.has(name) && JSON.stringify(was) !== JSON.stringify(is)) differs(flagName(name), was, is);
  }
  for (const { file, sha256 } of saved.model.files) {
    const is = now.model.files.find((f) => f.file === file)?.sha256 ?? "absent";
    if (is !== sha256) differs(`the model's ${file} (sha256)`, sha256, is);
  }
  for (const part of ["train", "valid"] as const) {
    const [was, is] = [saved.data[part]?.sha256 ?? "absent", now.data[part]?.sha256 ?? "absent"];
    if (was !== is) differs(`${part}.jsonl (sha256)`, was, is);
  }
  const hashes = (adapter: Manifest["adapter"]) => adapter?.files.map(({ sha256 }) => sha256) ?? "none";
  if (JSON.stringify(hashes(saved.adapter)) !== JSON.stringify(hashes(now.adapter)))
    differs("--adapter (sha256)", hashes(saved.adapter), hashes(now.adapter));
  const added = now.model.files.find(({ file }) => !saved.model.files.some((f) => f.file === file));
  if (added) differs("the list of the model's files", "absent", added.file);
}

/**
 * A rate that goes down to zero at the last step makes every step depend on how many there are: more of them would need other steps before.
 * @throws UsageError if a run with saved steps is given another number of steps, and its rate does not stay the same
 */
export function checkSameEnd(run: string, { options: saved }: Manifest, done: number, steps: number): void {
  if (done === 0 || saved.schedule === "constant" || steps === saved.steps) return;
  const what = `is ${steps}, and ${run} was begun for ${saved.steps}, at which its ${saved.schedule} rate ends; its ${done} steps would have had other rates. `;
  const advice = `Leave it out; for more steps start a new run from this one: --adapter ${run}/adapter (a constant rate can be gone on with).`;
  throw new UsageError("--steps", what + advice, { steps, saved: saved.steps, done, schedule: saved.schedule });
}

/** `blockSize` → `--block-size` */
const flagName = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
