// A saved step of a run: the adapter as a PEFT folder, and the trainer's state beside it. Order, dropout and learning rate are functions of seed and step, so
// moments and the step's number are all the state there is. A step is saved whole or not at all, and the two newest stay. Node only.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "@qlora-js/core";
import { z } from "zod";
import { StorageError } from "../error.ts";
import { adapterTensors } from "../formats/adapter-tensors.ts";
import { openFolder } from "../formats/node-folder.ts";
import { ADAPTER_WEIGHTS } from "../formats/peft-keys.ts";
import { writePeftAdapter, writePeftFiles } from "../formats/peft-writer.ts";
import { checkJson, readJson } from "../formats/read-json.ts";
import { openSafetensorsFile, writeSafetensorsFile } from "../formats/safetensors-file.ts";
import type { TensorToStore } from "../formats/safetensors-layout.ts";
import type { LoraAdapter } from "../lora/lora-adapter.ts";
import type { PagedAdamW } from "../optimizer/paged-adamw.ts";
import { removeLeftovers, storageError, writeFileSafely, writeFolderSafely } from "../safe-write.ts";
import { ADAPTER_FOLDER, CHECKPOINTS_FOLDER } from "./run-folder.ts";

const STATE_FOLDER = "state";
const MOMENTS = "optimizer.safetensors";
const TRAINER = "trainer.json";
const KEPT = 2;
const NAME = /^step-(\d{6,})$/;
const STORED = { f32: "F32", u8: "U8" } as const;

/** What changes while a run trains. */
export interface Trained {
  readonly adapter: LoraAdapter;
  readonly optimizer: PagedAdamW;
  /** The adapter's model card. */
  readonly card?: string | undefined;
}

export interface Checkpoint {
  readonly step: number;
  readonly folder: string;
}

/**
 * Saves the state after a step, then makes its adapter the run's, then removes all but the newest saved steps.
 * @throws StorageError if it cannot be written; the steps saved before are then unharmed
 */
export async function saveCheckpoint(run: string, step: number, trained: Trained): Promise<Checkpoint> {
  const folder = join(run, CHECKPOINTS_FOLDER, `step-${String(step).padStart(6, "0")}`);
  const loras = trained.adapter.toStore();
  const { storedSettings: settings, taken } = trained.adapter;
  const more = { whole: trained.adapter.wholeToStore(), card: trained.card, residual: taken !== undefined };
  await writeFolderSafely(folder, async (temporary) => {
    const [adapter, state] = [join(temporary, ADAPTER_FOLDER), join(temporary, STATE_FOLDER)];
    await makeFolder(adapter);
    await makeFolder(state);
    await writePeftFiles(adapter, settings, loras, more);
    await writeSafetensorsFile(join(state, MOMENTS), moments(trained.optimizer));
    await writeFileSafely(join(state, TRAINER), `${JSON.stringify({ step })}\n`);
  });
  await writePeftAdapter(join(run, ADAPTER_FOLDER), settings, loras, more);
  await removeOld(run);
  return { step, folder };
}

/** The newest saved step, or undefined if there is none. Clears away what a killed run was writing. */
export async function newestCheckpoint(run: string): Promise<Checkpoint | undefined> {
  const parent = join(run, CHECKPOINTS_FOLDER);
  const all = await checkpoints(run);
  if (all.length > 0) await removeLeftovers(parent);
  return all.at(-1);
}

/** The folder of a saved step's adapter. */
export const adapterOf = ({ folder }: Checkpoint): string => join(folder, ADAPTER_FOLDER);

/**
 * Gives an optimizer the moments of a saved step.
 * @throws FormatError if they are damaged, or of other parameters
 */
export async function loadMoments({ folder, step }: Checkpoint, optimizer: PagedAdamW, names: Iterable<string>): Promise<void> {
  const state = await openFolder(join(folder, STATE_FOLDER));
  const trainer = checkJson(`${state.name}/${TRAINER}`, z.object({ step: z.int() }), await readJson(state, TRAINER, 1 << 20));
  if (trainer.step !== step) throw new FormatError(`${state.name}/${TRAINER}`, `is of step ${trainer.step}, not of ${step}.`);
  const file = await openSafetensorsFile(join(folder, STATE_FOLDER, MOMENTS));
  try {
    const moments = new Map<string, Uint8Array[]>();
    for (const name of names) {
      const parts = optimizer.specs(name).map((_, i) => file.tensors.get(momentKey(name, i)));
      const missing = parts.indexOf(undefined);
      if (missing >= 0) throw new FormatError(file.file, `lacks "${momentKey(name, missing)}", a moment of a trained matrix.`);
      moments.set(name, await Promise.all(parts.map((part) => part!.read())));
    }
    optimizer.load(step, moments);
  } finally {
    await file.close();
  }
}

/**
 * Reads a saved step back and compares it with what is in memory, so that a disk that loses bytes is found out at the first save and not at the end.
 * @throws StorageError if a byte differs
 */
export async function verifyCheckpoint({ folder }: Checkpoint, { adapter, optimizer }: Omit<Trained, "card">): Promise<void> {
  const tensors = adapterTensors(adapter.storedSettings, adapter.toStore(), adapter.wholeToStore());
  await compare(join(folder, ADAPTER_FOLDER, ADAPTER_WEIGHTS), tensors);
  await compare(join(folder, STATE_FOLDER, MOMENTS), moments(optimizer));
}

type Expected = Pick<TensorToStore, "name" | "data">;

async function compare(path: string, expected: readonly Expected[]): Promise<void> {
  const file = await openSafetensorsFile(path);
  try {
    for (const { name, data } of expected) {
      const found = await file.tensors.get(name)?.read();
      if (!found || Buffer.compare(found, typeof data === "function" ? await data() : data) !== 0)
        throw new StorageError(path, "", `"${name}" reads back otherwise than it was written. The disk cannot be trusted; save elsewhere.`);
    }
  } finally {
    await file.close();
  }
}

/** All moments, each read when its turn comes: a save never has a second copy of the state in memory. */
function moments(optimizer: PagedAdamW): TensorToStore[] {
  return [...optimizer.names()].flatMap((name) =>
    optimizer.specs(name).map(({ shape, dtype }, i) => ({
      name: momentKey(name, i),
      dtype: STORED[dtype as keyof typeof STORED],
      shape,
      data: () => optimizer.stateOf(name, i),
    })),
  );
}

/** 0 and 1 are the running means of the gradient and its square; with 8 bits, 2 and 3 are their blocks' scales. */
const momentKey = (name: string, part: number): string => `${name}.moment${part}`;

async function checkpoints(run: string): Promise<Checkpoint[]> {
  const parent = join(run, CHECKPOINTS_FOLDER);
  const names = await readdir(parent).catch(() => []);
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), folder: join(parent, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

async function removeOld(run: string): Promise<void> {
  for (const { folder } of (await checkpoints(run)).slice(0, -KEPT)) {
    // Under a name that is no step's first: a kill in between must not leave half of one.
    const aside = join(run, CHECKPOINTS_FOLDER, `.old.${randomBytes(6).toString("hex")}.tmp`);
    try {
      await rename(folder, aside);
      await rm(aside, { recursive: true });
    } catch (cause) {
      throw storageError(folder, cause);
    }
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    throw storageError(path, cause);
  }
}
