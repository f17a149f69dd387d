// `qlora export MODEL --as KIND --to PATH`: an adapter in the files of another tool, or a model without one; nothing is merged.
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { DecoderConfig } from "../../config/decoder-config.ts";
import type { ModelConfig } from "../../config/model-config.ts";
import { asIn16Bit } from "../../config/model-tensors.ts";
import { UsageError } from "../../error.ts";
import type { Folder } from "../../formats/folder.ts";
import { writeGgufFile } from "../../formats/gguf-writer/gguf-file.ts";
import { ggufLora } from "../../formats/gguf-writer/gguf-lora.ts";
import { MLX_CONFIG, MLX_WEIGHTS, mlxAdapter } from "../../formats/mlx-adapter.ts";
import { openModelFiles } from "../../formats/model-files.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openAdapter } from "../../formats/open-adapter.ts";
import type { PeftAdapter } from "../../formats/peft-adapter.ts";
import { writeSafetensorsFile } from "../../formats/safetensors-file.ts";
import { pissaAsLora } from "../../lora/pissa-as-lora.ts";
import { writeFileSafely, writeFolderSafely } from "../../safe-write.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { locateModel } from "../locate-model.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { choiceOption, textOption } from "../option-table.ts";
import { ADAPTER_OPTIONS, HUB_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { shellWord, shortestPath, typedCommand } from "../typed-command.ts";
import { plural } from "../wording.ts";
import { freePath } from "../write/free-path.ts";
import type { OutputKind } from "../write/output-kind.ts";
import { writeModel } from "../write/write-model.ts";
import { writePeft } from "../write/write-peft.ts";

const ADAPTER_KINDS = ["gguf-lora", "mlx", "peft"] as const;
type AdapterKind = (typeof ADAPTER_KINDS)[number];

const OPTIONS = {
  ...ADAPTER_OPTIONS,
  to: textOption("--to <path>", z.string().min(1).optional(), {
    help: "what to write: a folder for mlx and peft, a file for the others; must not be there yet",
    expects: "a path",
  }),
  as: choiceOption(
    "--as <kind>",
    [...ADAPTER_KINDS, "gguf-f16", "gguf-q8_0", "gguf-q4_0"],
    "gguf-lora",
    "the adapter for llama.cpp, MLX or PEFT, or the model without it as GGUF",
  ),
  ...HUB_OPTIONS,
};

export const exportCommand = defineCommand({
  args: "<model>",
  summary: "Write an adapter for llama.cpp, MLX or PEFT, or a model as GGUF, unmerged",
  options: OPTIONS,
  run,
});

async function run(invocation: Invocation<typeof OPTIONS>): Promise<void> {
  const { args, options, output } = invocation;
  const { as, adapter: named } = options;
  const ofAdapter = isAdapterKind(as);
  if (!ofAdapter && named !== undefined)
    throw new UsageError(
      "--adapter",
      `is given, and --as ${as} is of a model. Merge them: ${typedCommand()} merge MODEL --adapter … --as ${as}.`,
      { as },
    );
  const hub = { ...options, output };
  const wanted = ofAdapter ? "text" : "model";
  const located = await locateModel(args[0]!, { adapter: named, format: NO_FORMAT, given: new Set(), hub, wanted });
  const to = await freePath(options.to, as === "mlx" || as === "peft" ? "folder" : "file");
  const model = await openModelFolder(located.model);
  const { warnings, next } = ofAdapter
    ? await exportAdapter(to, as, model, located.adapter, output)
    : await exportModel(to, as, model, output);
  for (const warning of warnings) output.facts("note", warning);
  output.facts("written", shortestPath(to));
  output.facts("next", next);
  output.event("written", { path: to, warnings, next });
  output.event("done");
}

const isAdapterKind = (kind: string): kind is AdapterKind => (ADAPTER_KINDS as readonly string[]).includes(kind);

interface Exported {
  readonly warnings: readonly string[];
  /** The command to type next. */
  readonly next: string;
}

async function exportModel(
  to: string,
  as: Exclude<OutputKind, "safetensors" | "bnb-nf4">,
  model: ModelFolder,
  output: Output,
): Promise<Exported> {
  output.facts("model", `${shortestPath(model.folder.name)} · without an adapter`);
  output.event("export", { model: model.folder.name, as });
  const files = await openModelFiles(model.folder);
  try {
    const turned = { ...files, tensors: asIn16Bit(model.config, files.tensors) };
    const { warnings } = await writeModel(to, model, turned, { as, maxShardBytes: Number.MAX_SAFE_INTEGER, output });
    return { warnings, next: `llama-cli -m ${shellWord(shortestPath(to))}` };
  } finally {
    await files.close();
  }
}

async function exportAdapter(
  to: string,
  as: AdapterKind,
  { folder, config }: ModelFolder,
  path: string | undefined,
  output: Output,
): Promise<Exported> {
  if (path === undefined)
    throw new UsageError("--adapter", "is missing. Give the folder of the adapter to write, or a run folder as the model.", {});
  const adapter = await openAdapter(await openFolder(path), config, { allowPissa: as === "peft" });
  try {
    output.facts("adapter", `${shortestPath(adapter.folder)} · rank ${adapter.settings.rank} on ${plural(adapter.modules.size, "layer")}`);
    output.event("export", { model: folder.name, adapter: adapter.folder, modules: adapter.modules.size, as });
    const where = shellWord(shortestPath(to));
    if (as === "peft") {
      await writePeft(to, config, adapter.settings.init === "pissa" ? await converted(adapter, folder, config) : adapter);
      return { warnings: [], next: `PeftModel.from_pretrained(model, ${where})` };
    }
    if (config.kind !== "decoder")
      throw new UsageError(
        "--as",
        `${as} is written for models that only decode, and a ${config.modelType} reads with an encoder first. Use --as peft, or merge it: ${typedCommand()} merge.`,
        { as },
      );
    if (as === "mlx") {
      await writeMlx(to, config, adapter);
      return { warnings: [], next: `mlx_lm.generate --model … --adapter-path ${where}` };
    }
    return { warnings: await writeGgufLora(to, config, adapter), next: `llama-cli -m … --lora ${where}` };
  } finally {
    await adapter.close();
  }
}

/** Decomposes the weights of the base, which takes a while. */
async function converted(adapter: PeftAdapter, folder: Folder, config: ModelConfig): Promise<PeftAdapter> {
  const files = await openModelFiles(folder);
  try {
    return await pissaAsLora(adapter, config, files);
  } finally {
    await files.close();
  }
}

async function writeGgufLora(to: string, config: DecoderConfig, adapter: PeftAdapter): Promise<readonly string[]> {
  const { metadata, tensors, warnings } = ggufLora(basename(resolve(adapter.folder)), config, adapter);
  await writeGgufFile(to, metadata, tensors);
  return warnings;
}

async function writeMlx(to: string, config: DecoderConfig, adapter: PeftAdapter): Promise<void> {
  const mlx = mlxAdapter(config, adapter);
  await writeFolderSafely(to, async (folder) => {
    await writeSafetensorsFile(join(folder, MLX_WEIGHTS), mlx.tensors, { format: "mlx" });
    await writeFileSafely(join(folder, MLX_CONFIG), mlx.config);
  });
}

/** What weights are held in makes no difference here. */
const NO_FORMAT = { format: "none", blockSize: 64, doubleQuant: true } as const;
