// `qlora export MODEL --adapter DIR --as gguf-lora --to PATH`: an adapter in the files of another tool, not merged. The base is not read but for its config.
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { DecoderConfig } from "../../config/decoder-config.ts";
import { linearModules } from "../../config/model-parts.ts";
import { UsageError } from "../../error.ts";
import { writeGgufFile } from "../../formats/gguf-writer/gguf-file.ts";
import { ggufLora } from "../../formats/gguf-writer/gguf-lora.ts";
import { MLX_CONFIG, MLX_WEIGHTS, mlxAdapter } from "../../formats/mlx-adapter.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openPeftAdapter, type PeftAdapter } from "../../formats/peft-adapter.ts";
import { writeSafetensorsFile } from "../../formats/safetensors-file.ts";
import { writeFileSafely, writeFolderSafely } from "../../safe-write.ts";
import type { CommandDefinition, Invocation } from "../command.ts";
import { locateModel } from "../locate-model.ts";
import { freePath } from "../merge/free-path.ts";
import { openModelFolder } from "../open-model.ts";
import { choiceOption, textOption } from "../option-table.ts";
import { ADAPTER_OPTIONS, HUB_OPTIONS } from "../options.ts";
import { shellWord, shortestPath } from "../typed-command.ts";
import { plural } from "../wording.ts";

const OPTIONS = {
  ...ADAPTER_OPTIONS,
  to: textOption("--to <path>", z.string().min(1).optional(), {
    help: "what to write: a file for gguf-lora, a folder for mlx; must not be there yet",
    expects: "a path",
  }),
  as: choiceOption("--as <kind>", ["gguf-lora", "mlx"], "gguf-lora", "whose files to write, llama.cpp's or mlx-lm's"),
  ...HUB_OPTIONS,
};

export const exportCommand: CommandDefinition<typeof OPTIONS> = {
  name: "export",
  args: "<model>",
  summary: "Write an adapter for llama.cpp or MLX, unmerged",
  options: OPTIONS,
  run,
};

async function run({ args, options, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const { as, adapter: named } = options;
  const hub = { ...options, output };
  const located = await locateModel(args[0]!, { adapter: named, format: NO_FORMAT, given: new Set(), hub, wanted: "text" });
  if (located.adapter === undefined)
    throw new UsageError("--adapter", "is missing. Give the folder of the adapter to write, or a run folder as the model.", {});
  const to = await freePath(options.to, as === "mlx" ? "folder" : "file");
  const model = await openModelFolder(located.model);
  const adapter = await openPeftAdapter(await openFolder(located.adapter), linearModules(model.config));
  try {
    output.facts("adapter", `${shortestPath(adapter.folder)} · rank ${adapter.settings.rank} on ${plural(adapter.modules.size, "layer")}`);
    output.event("export", { model: model.folder.name, adapter: adapter.folder, modules: adapter.modules.size, as });
    const { config } = model;
    if (config.kind !== "decoder")
      throw new UsageError("--as", `${as} of a ${config.modelType} is not supported; models that only decode are.`, { as });
    const warnings = as === "mlx" ? await writeMlx(to, config, adapter) : await writeGgufLora(to, config, adapter);
    for (const warning of warnings) output.facts("note", warning);
    const where = shellWord(shortestPath(to));
    const next = as === "mlx" ? `mlx_lm.generate --model … --adapter-path ${where}` : `llama-cli -m … --lora ${where}`;
    output.facts("written", shortestPath(to));
    output.facts("next", next);
    output.event("written", { path: to, warnings, next });
    output.event("done");
  } finally {
    await adapter.close();
  }
}

async function writeGgufLora(to: string, config: DecoderConfig, adapter: PeftAdapter): Promise<readonly string[]> {
  const { metadata, tensors, warnings } = ggufLora(basename(resolve(adapter.folder)), config, adapter);
  await writeGgufFile(to, metadata, tensors);
  return warnings;
}

async function writeMlx(to: string, config: DecoderConfig, adapter: PeftAdapter): Promise<readonly string[]> {
  const mlx = mlxAdapter(config, adapter);
  await writeFolderSafely(to, async (folder) => {
    await writeSafetensorsFile(join(folder, MLX_WEIGHTS), mlx.tensors, { format: "mlx" });
    await writeFileSafely(join(folder, MLX_CONFIG), mlx.config);
  });
  return [];
}

/** What weights are held in makes no difference here. */
const NO_FORMAT = { format: "none", blockSize: 64, doubleQuant: true } as const;
