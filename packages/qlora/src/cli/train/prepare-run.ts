// Everything a run needs to know before weights are read: model, data, adapter, steps, memory; shown as it is found out, and checked against the run that is
// gone on with.
import { resolve } from "node:path";
import { FormatError } from "@qlora-js/core";
import { checkModelTensors, renamedTensors } from "../../config/model-tensors.ts";
import { UsageError } from "../../error.ts";
import { openModelFiles } from "../../formats/model-files.ts";
import { openFolder } from "../../formats/node-folder.ts";
import type { LoraSettings } from "../../formats/peft-config.ts";
import { modelOfSnapshot } from "../../hub/hub-source.ts";
import { embeddingDType, storedWeights } from "../../models/weight-form.ts";
import { adapterOf, type Checkpoint, newestCheckpoint } from "../../run/checkpoint.ts";
import { checkSameEnd, checkSameRun, type Manifest, type RunOptions, readManifest } from "../../run/manifest.ts";
import { isRunFolder } from "../../run/run-folder.ts";
import { RunLock } from "../../run/run-lock.ts";
import { optionsOfKind } from "../adapter-kind-options.ts";
import { type HubAccess, localData, localModel } from "../from-hub.ts";
import { locateAdapter } from "../locate-adapter.ts";
import { modelFormat } from "../model-format.ts";
import { type BackendChoice, workspaceOn } from "../open-backend.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import type { Output } from "../output.ts";
import { type DataExamples, readExamples } from "../read-examples.ts";
import { shellWord, typedCommand } from "../typed-command.ts";
import { describeRun } from "./describe-run.ts";
import { printData, printPlan } from "./header.ts";
import { configuredLora, newLora, storedLora } from "./lora-choice.ts";
import { type PlannedMemory, planMemory } from "./plan-memory.ts";
import { type GivenOptions, resolveRun, withSaved } from "./run-options.ts";

/** A run that is gone on with. */
export interface ResumedRun {
  readonly run: string;
  readonly manifest: Manifest;
  /** Undefined if it was stopped before it saved a step: then it begins anew. */
  readonly checkpoint: Checkpoint | undefined;
  /** Held from the first look at the saved steps, which clears away what a killed process left. */
  readonly lock: RunLock;
}

/** @throws UsageError, FormatError as `readManifest`; RunInUseError if another process is writing to it */
export async function openResumedRun(run: string): Promise<ResumedRun> {
  const manifest = await readManifest(run);
  const lock = await RunLock.take(run);
  return { run, manifest, lock, checkpoint: await newestCheckpoint(run) };
}

export interface RunRequest {
  readonly model: string | undefined;
  readonly data: string | undefined;
  /** The adapter to start from. */
  readonly adapter: string | undefined;
  readonly options: GivenOptions;
  readonly given: ReadonlySet<string>;
  readonly resumed: ResumedRun | undefined;
  readonly dryRun: boolean;
  readonly weightsBudget: number | undefined;
  readonly backend: BackendChoice["backend"];
  readonly hub: HubAccess;
}

export interface PreparedRun {
  readonly folder: ModelFolder;
  readonly train: DataExamples;
  readonly valid: DataExamples | undefined;
  readonly lora: LoraSettings;
  /** The PEFT folder whose matrices are taken: of a saved step, or the one to start from. */
  readonly adapter: string | undefined;
  readonly options: RunOptions;
  readonly memory: PlannedMemory;
  /** Undefined on a dry run, which hashes nothing. */
  readonly manifest: Omit<Manifest, "backend"> | undefined;
}

/**
 * Finds out, shows and checks.
 * @throws UsageError, FormatError about whatever cannot be used; nothing has been written then
 */
export async function prepareRun(request: RunRequest, output: Output): Promise<PreparedRun> {
  const { resumed, given, dryRun, hub } = request;
  const saved = resumed?.manifest;
  const wanted = saved ? withSaved(request.options, given, saved.options) : request.options;
  const { model, data, folder, train, valid } = await readModelAndData(request, wanted.maxLength, output);
  const held = await modelFormat(folder, wanted, given);
  const started = request.adapter === undefined ? undefined : await locateAdapter(request.adapter, hub);
  const files = await openModelFiles(folder.folder);
  try {
    checkModelTensors(folder.config, files);
    const { adapter, lora } = await chooseAdapter({ ...request, adapter: started }, wanted, folder);
    const { options, plan } = resolveRun(
      { ...(saved ? wanted : asTheAdapter(wanted, lora, adapter)), ...held },
      given,
      train.examples.map((e) => e.inputIds.length),
    );
    const { config } = folder;
    const stored = storedWeights(renamedTensors(config, files.tensors));
    const memory = planMemory({
      config,
      dtype: embeddingDType(config, stored) ?? "bf16",
      stored,
      lora,
      examples: train.examples,
      options,
      memory: request.options.memory,
      weightsBudget: request.weightsBudget,
      ...(await workspaceOn(request.backend)),
    });
    printPlan(output, options, memory, plan);
    const sources = { model, folder, files, data, train: train.file, valid: valid?.file, adapter: started, options };
    const manifest = dryRun ? undefined : await describeRun(sources, new Date());
    if (resumed && manifest) checkResumed(resumed, manifest, started);
    return { folder, train, valid, lora, adapter, options, memory, manifest };
  } finally {
    await files.close();
  }
}

interface ModelAndData {
  /** What finds them again. */
  readonly model: string;
  readonly data: string;
  readonly folder: ModelFolder;
  readonly train: DataExamples;
  readonly valid: DataExamples | undefined;
}

/** What is wrong with rows is known before the weights of a model are downloaded: those come last. */
async function readModelAndData(request: RunRequest, maxLength: number | undefined, output: Output): Promise<ModelAndData> {
  const { resumed, hub } = request;
  const named = pathOf("MODEL", request.model, resumed?.manifest.model.path);
  const data = pathOf("DATA", request.data, resumed?.manifest.data.path);
  if (await isRunFolder(named)) throw aRun(named);
  const model = await orMoved(localModel(named, hub, "text"), "model", request);
  const text = await orMoved(openModelFolder(model.path), "model", request);
  const paths = await orMoved(localData(data, hub), "data", request);
  const train = await readExamples(paths.train, text, maxLength);
  const valid = paths.valid === undefined ? undefined : await readExamples(paths.valid, text, maxLength);
  printData(output, text, train, valid);
  const { path } = model.commit === undefined ? model : await localModel(model.name, { ...hub, revision: undefined });
  return { model: model.name, data: paths.name, folder: { ...text, folder: await openFolder(path) }, train, valid };
}

function pathOf(name: string, given: string | undefined, saved: string | undefined): string {
  const path = given ?? saved;
  if (path !== undefined) return path;
  throw new UsageError(name, "is missing. Type qlora train MODEL DATA, or qlora train --resume RUN.");
}

function aRun(path: string): UsageError {
  const run = shellWord(path);
  const what = `is a run, not a model. Go on with it by --resume ${run}, or train its adapter further: give its model here, and --adapter ${run}/adapter.`;
  return new UsageError(path, what, { path });
}

/** What a resumed run was made from may have moved since: then the error says so, and how to go on. */
async function orMoved<T>(found: Promise<T>, what: "model" | "data", { resumed, ...request }: RunRequest): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!resumed || request[what] !== undefined || !(error instanceof UsageError)) throw error;
    const advice = `The run was made from it. If it has moved, type ${typedCommand()} train MODEL DATA --resume ${shellWord(resumed.run)}`;
    throw new UsageError(`--resume ${resumed.run}`, `${error.message} ${advice}`, error.fields, { cause: error });
  }
}

async function chooseAdapter(
  { resumed, adapter: wished, given }: RunRequest,
  options: GivenOptions,
  { config, folder }: ModelFolder,
): Promise<{ adapter: string | undefined; lora: LoraSettings }> {
  const path = resolve(folder.name);
  const base = modelOfSnapshot(path)?.repository ?? path;
  const checkpoint = resumed?.checkpoint;
  const adapter = checkpoint ? adapterOf(checkpoint) : (wished ?? resumed?.manifest.adapter?.path);
  if (adapter === undefined) {
    const { adapterConfig } = options;
    return {
      adapter,
      lora: adapterConfig === undefined ? newLora(options, config, base) : configuredLora(adapterConfig, given, config, base),
    };
  }
  // what a resumed run has is checked with all its other options
  const stored = storedLora(adapter, options, resumed ? new Set() : given, config, base);
  return { adapter, lora: await (checkpoint ? orDamaged(stored, checkpoint) : stored) };
}

/**
 * Reads a part of a saved step.
 * @throws FormatError if it is damaged; says that the step before can be gone on from
 */
export async function orDamaged<T>(part: Promise<T>, { folder }: Checkpoint): Promise<T> {
  try {
    return await part;
  } catch (cause) {
    if (!(cause instanceof FormatError || cause instanceof UsageError)) throw cause;
    throw new FormatError(folder, `is damaged (${cause.message}) Move it away, and the run goes on from the step saved before it.`, {
      cause,
    });
  }
}

/** The options as the adapter that is trained has them. */
function asTheAdapter(options: GivenOptions, settings: LoraSettings, adapter: string | undefined): GivenOptions {
  const { rank, alpha, dropout, targetModules } = settings;
  if (adapter === undefined && options.adapterConfig === undefined) return { ...options, rank, alpha, dropout };
  const targets = typeof targetModules === "string" ? [targetModules] : [...targetModules];
  return { ...options, rank, alpha, dropout, targets, ...optionsOfKind(settings) };
}

function checkResumed({ run, manifest, checkpoint }: ResumedRun, now: Omit<Manifest, "backend">, adapter: string | undefined): void {
  const started = adapter === undefined ? manifest.adapter : now.adapter;
  checkSameRun(run, manifest, { ...now, backend: manifest.backend, adapter: started });
  const { steps } = now.options;
  const done = checkpoint?.step ?? 0;
  checkSameEnd(run, manifest, done, steps);
  if (steps < done) throw new UsageError("--steps", `is ${steps}, and ${run} is at step ${done} already. Give more.`, { steps, done });
}
