// `qlora train MODEL DATA`: reads, checks and shows everything first, then trains. A run that is gone on with (`--resume RUN`) takes the same way.
import { basename, dirname, resolve } from "node:path";
import { DeviceLostError, OutOfMemoryError, Pager, UnsupportedError } from "@qlora-js/core";
import { z } from "zod";
import { linearModules } from "../../config/model-parts.ts";
import { UsageError } from "../../error.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openAdapter } from "../../formats/open-adapter.ts";
import { readJson } from "../../formats/read-json.ts";
import { LoraAdapter } from "../../lora/lora-adapter.ts";
import { residualStart, type WeightStart, weightStart } from "../../lora/weight-start.ts";
import { ADAMW_DEFAULTS, PagedAdamW } from "../../optimizer/paged-adamw.ts";
import { loadMoments } from "../../run/checkpoint.ts";
import { type Manifest, writeManifest } from "../../run/manifest.ts";
import { MetricsLog } from "../../run/metrics-log.ts";
import { checkRunFolder, createRunFolder, freeRunFolder } from "../../run/run-folder.ts";
import { RunLock } from "../../run/run-lock.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { INTERRUPTED } from "../failure.ts";
import type { BackendChoice } from "../open-backend.ts";
import { Session } from "../open-session.ts";
import { numberOption, switchOption, textOption } from "../option-table.ts";
import { ADAPTER_OPTIONS, BACKEND_OPTIONS, formatOf, HUB_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { cardOf } from "../train/card-facts.ts";
import { printEnd } from "../train/ending.ts";
import { withChanges } from "../train/plan-memory.ts";
import { openResumedRun, orDamaged, type PreparedRun, prepareRun, type ResumedRun } from "../train/prepare-run.ts";
import { samplePrompts } from "../train/sample-prompts.ts";
import { StopRequest } from "../train/stop-request.ts";
import { TrainingRun } from "../train/training-run.ts";
import { TRAINING_OPTIONS } from "../training-options.ts";
import { shortestPath } from "../typed-command.ts";

const FOLDER = { expects: "a folder" };
const EVERY = { expects: "a whole number of steps, 1 or more" };

const OPTIONS = {
  ...TRAINING_OPTIONS,
  ...ADAPTER_OPTIONS,
  adapterConfig: textOption("--adapter-config <file>", z.string().min(1).optional(), {
    help: "an adapter_config.json as PEFT writes it, whose settings a new adapter gets: rank_pattern, layers_to_transform and so on",
    expects: "the path of an adapter_config.json",
  }),
  saveEvery: numberOption("--save-every <steps>", z.int().positive().optional(), { help: "by default ten times a run", ...EVERY }),
  evalEvery: numberOption("--eval-every <steps>", z.int().positive().optional(), { help: "by default five times a run", ...EVERY }),
  samples: switchOption("--no-samples", z.boolean().default(true), "show no answers at evaluations"),
  out: textOption("--out <folder>", z.string().min(1).optional(), { help: "the run folder; runs/<date>-<n> by default", ...FOLDER }),
  resume: textOption("--resume <run>", z.string().min(1).optional(), {
    help: "go on with a run, to the same bits; --steps may be raised where the rate is constant",
    ...FOLDER,
  }),
  dryRun: switchOption("--dry-run", z.boolean().default(false), "stop after the plan"),
  ...BACKEND_OPTIONS,
  ...HUB_OPTIONS,
};

export const trainCommand = defineCommand({
  args: "[model] [data]",
  argumentHelp: {
    model:
      "a Hugging Face folder (config.json, safetensors, tokenizer.json), a GGUF file, or org/name on the hub; what --resume goes on with, by default",
  },
  summary: "Fine-tune a model on data",
  options: OPTIONS,
  takesConfig: true,
  run,
});

/** What is known of a run when its device is lost. */
interface Attempt {
  folder?: string;
  /** The step it went on from. */
  from: number;
}

async function run(invocation: Invocation<typeof OPTIONS>): Promise<void> {
  const attempt: Attempt = { from: 0 };
  try {
    await trainOnce(invocation, attempt);
  } catch (error) {
    if (!(error instanceof DeviceLostError) || attempt.folder === undefined) throw error;
    await goOn(invocation, attempt.folder, error);
  }
}

/** After a device was lost: the same as --resume, on a new device; on the CPU if there is none, or if that one is lost before it saved a step. */
async function goOn({ args, options, output }: Invocation<typeof OPTIONS>, folder: string, lost: DeviceLostError): Promise<void> {
  const { adapter: _, out: __, ...others } = options;
  let [backend, reason, from] = [options.backend, lost.message, -1];
  for (;;) {
    output.line(`  lost      ${reason}`);
    output.event("lost", { reason, next: backend });
    const attempt: Attempt = { from: 0 };
    try {
      return await trainOnce(
        { args, options: { ...others, adapter: undefined, out: undefined, resume: folder, backend }, given: new Set(), output },
        attempt,
      );
    } catch (error) {
      const noDevice = error instanceof UnsupportedError && backend !== "cpu";
      if (!noDevice && !(error instanceof DeviceLostError)) throw error;
      if (noDevice || attempt.from <= from) backend = "cpu";
      [reason, from] = [error.message, attempt.from];
    }
  }
}

async function trainOnce({ args, options, given, output }: Invocation<typeof OPTIONS>, attempt: Attempt): Promise<void> {
  const { resume, out, adapter, dryRun, samples } = options;
  if (resume !== undefined && out !== undefined && resolve(out) !== resolve(resume))
    throw new UsageError("--out", `is ${out}, and a run is gone on with in its own folder, ${resume}. Leave it out.`);
  if (resume === undefined && out !== undefined) await checkRunFolder(out);
  const resumed = resume === undefined ? undefined : await openResumedRun(resume);
  try {
    const [model, data] = args;
    const prepared = await prepareRun(
      {
        model,
        data,
        adapter,
        options: { ...options, adapterConfig: await configText(options.adapterConfig) },
        given,
        resumed,
        dryRun,
        weightsBudget: options.weightsBudget,
        backend: options.backend,
        hub: { ...options, output },
      },
      output,
    );
    if (prepared.manifest === undefined) return output.event("done", { dryRun });
    const folder = resume ?? out ?? (await freeRunFolder("runs", new Date()));
    Object.assign(attempt, { folder, from: resumed?.checkpoint?.step ?? 0 });
    await train(prepared, prepared.manifest, {
      folder,
      resumed,
      on: options,
      samples,
      output,
      data: data ?? shortestPath(prepared.manifest.data.path),
    }).catch((error: unknown) => {
      throw error instanceof OutOfMemoryError ? withChanges(error, prepared.folder.config, prepared.memory.run) : error;
    });
  } finally {
    await resumed?.lock.release();
  }
}

const MOST_CONFIG_BYTES = 1 << 20;

async function configText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return JSON.stringify(await readJson(await openFolder(dirname(path)), basename(path), MOST_CONFIG_BYTES));
}

interface Start {
  /** DATA as it is typed next. */
  readonly data: string;
  readonly folder: string;
  readonly resumed: ResumedRun | undefined;
  readonly on: BackendChoice;
  readonly samples: boolean;
  readonly output: Output;
}

async function train(prepared: PreparedRun, manifest: Omit<Manifest, "backend">, start: Start): Promise<void> {
  const { options, lora } = prepared;
  const { resumed, output } = start;
  const began = performance.now();
  const begin = await weightsBegin(prepared);
  const session = await Session.open(prepared.folder, { format: formatOf(options), on: start.on, output, start: begin });
  const pager = new Pager(session.backend, options.pagerBudget === null ? {} : { budgetBytes: options.pagerBudget });
  try {
    const adapter =
      prepared.adapter === undefined
        ? LoraAdapter.create(session.model, lora, options.seed, begin?.starts)
        : await session.adapt(prepared.adapter, { dropout: lora.dropout, taken: begin !== undefined });
    const parameters = adapter.parameters();
    const bits = options.optimizer === "adamw8bit" ? 8 : 32;
    const optimizer = new PagedAdamW(parameters, pager, { ...ADAMW_DEFAULTS, bits, weightDecay: options.weightDecay });
    if (resumed?.checkpoint) await orDamaged(loadMoments(resumed.checkpoint, optimizer, parameters.keys()), resumed.checkpoint);
    await session.compileStep(prepared.memory.run, output);
    session.backend.resetPeak();
    const ready = { ...start, prepared, manifest, session, pager, adapter, optimizer, began };
    await (resumed ? trainIn(start.folder, ready) : trainInNew(start.folder, ready));
  } finally {
    pager.dispose();
    session.close();
  }
}

/** What the adapter does to the weights as they are loaded, if anything. */
async function weightsBegin({ adapter, lora, folder, options }: PreparedRun): Promise<WeightStart | undefined> {
  if (adapter === undefined) return weightStart(lora, linearModules(folder.config), formatOf(options), options.seed);
  const stored = await openAdapter(await openFolder(adapter), folder.config);
  try {
    return stored.residual ? await residualStart(stored) : undefined;
  } finally {
    await stored.close();
  }
}

interface Ready extends Start {
  readonly prepared: PreparedRun;
  readonly manifest: Omit<Manifest, "backend">;
  readonly session: Session;
  readonly pager: Pager;
  readonly adapter: LoraAdapter;
  readonly optimizer: PagedAdamW;
  readonly began: number;
}

async function trainInNew(run: string, ready: Ready): Promise<void> {
  await createRunFolder(run);
  const lock = await RunLock.take(run);
  try {
    await checkRunFolder(run);
    await trainIn(run, ready);
  } finally {
    await lock.release();
  }
}

async function trainIn(
  run: string,
  { data, resumed, samples, prepared, manifest, session, pager, adapter, optimizer, began, output }: Ready,
): Promise<void> {
  const { folder, train, valid, options, memory } = prepared;
  const backend = session.device;
  const { created, versions } = resumed?.manifest ?? manifest;
  await writeManifest(run, { ...manifest, created, versions, backend, adapter: resumed ? resumed.manifest.adapter : manifest.adapter });
  const from = resumed?.checkpoint?.step ?? 0;
  output.line(resumed ? `  resume    ${run} after step ${from} of ${options.steps}` : `  run       ${run}`);
  output.event("run", { run, from, steps: options.steps });
  const shown = valid ?? train;
  const prompts = samples && folder.tokenizer ? samplePrompts(shown.file, shown.examples, folder.tokenizer) : [];
  const log = await MetricsLog.open(run, from);
  const stop = new StopRequest(() => output.line("\n  finishing the step, then saving. Ctrl-C again quits at once."));
  try {
    const parts = {
      run,
      session,
      adapter,
      optimizer,
      pager,
      train: train.examples,
      valid: valid?.examples,
      prompts,
      options,
      log,
      output,
      stop,
      card: cardOf(manifest, adapter, train.examples.length),
    };
    const end = await new TrainingRun({ ...parts, recompute: memory.recompute }, from).go();
    const { peakBytes } = session.backend.memory();
    const seconds = (performance.now() - began) / 1000;
    printEnd(output, {
      run,
      data,
      folder,
      end,
      seconds,
      forecast: memory.forecast,
      deviceBytes: peakBytes,
      pager: pager.counters,
      weights: session.weights?.counters,
    });
    if (end.interrupted) process.exitCode = INTERRUPTED;
  } finally {
    stop.dispose();
    await log.close();
  }
}
