// `qlora quantize MODEL --to DIR`: a model's linear weights in 4 bits, as transformers + bitsandbytes save and load them.
import { namedFormat } from "@qlora-js/core";
import { z } from "zod";
import { UsageError } from "../../error.ts";
import { formatName } from "../../formats/bitsandbytes/format-name.ts";
import { storedFormat } from "../../formats/bitsandbytes/stored-format.ts";
import { openModelFiles } from "../../formats/model-files.ts";
import { showBytes } from "../../plan/byte-size.ts";
import { isRunFolder } from "../../run/run-folder.ts";
import { bytesOption } from "../bytes-option.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { localModel } from "../from-hub.ts";
import { openBackend } from "../open-backend.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { choiceOption, textOption } from "../option-table.ts";
import { BACKEND_OPTIONS, FORMAT_OPTIONS, formatWords, HUB_OPTIONS } from "../options.ts";
import { shellWord, shortestPath, typedCommand } from "../typed-command.ts";
import { plural } from "../wording.ts";
import { freePath } from "../write/free-path.ts";
import { writeQuantized } from "../write/write-quantized.ts";

const { blockSize, doubleQuant } = FORMAT_OPTIONS;
const { backend, threads } = BACKEND_OPTIONS;

const OPTIONS = {
  to: textOption("--to <folder>", z.string().min(1).optional(), {
    help: "the folder to write; must not be there yet",
    expects: "a path",
  }),
  format: choiceOption("--format <format>", ["nf4", "fp4"], "nf4", "what linear weights are written in"),
  blockSize,
  doubleQuant,
  maxShardSize: bytesOption(
    "--max-shard-size <bytes>",
    z.int().positive().default(50_000_000_000),
    "the most bytes of tensors in one safetensors file",
  ),
  backend,
  threads,
  ...HUB_OPTIONS,
};

export const quantizeCommand = defineCommand({
  args: "<model>",
  argumentHelp: {
    model: "a Hugging Face folder (config.json, safetensors), a GGUF file, or org/name on the hub, of 16 or 32 bits",
  },
  summary: "Write a model in 4 bits, as bitsandbytes does: for transformers, vLLM, and qlora itself",
  options: OPTIONS,
  run,
});

async function run({ args, options, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const named = args[0]!;
  if (await isRunFolder(named)) throw aRun(named);
  const to = await freePath(options.to, "folder");
  const model = await openModelFolder((await localModel(named, { ...options, output })).path);
  await check16Bit(model);
  output.facts("model", `${shortestPath(model.folder.name)} · ${model.config.modelType}`);
  output.facts("as", `${formatWords(options)}, embeddings, head and norms in the file's type`);
  const { format, blockSize, doubleQuant } = options;
  output.event("quantize", { model: model.folder.name, format, blockSize, doubleQuant });
  const files = await openModelFiles(model.folder);
  const { backend } = await openBackend(options);
  try {
    const before = [...files.tensors.values()].reduce((n, { byteLength }) => n + byteLength, 0);
    const { bytes, files: written } = await writeQuantized(to, model, files, {
      backend,
      format: namedFormat(format, { blockSize, doubleQuant }),
      maxShardBytes: options.maxShardSize,
      output,
    });
    const where = shortestPath(to);
    const next = `${typedCommand()} train ${shellWord(where)} DATA`;
    output.facts("written", `${where} · ${plural(written.length, "file")} · ${showBytes(bytes)}, from weights of ${showBytes(before)}`);
    output.facts("next", next);
    output.event("written", { path: to, bytes, weightsBefore: before, files: written, next });
    output.event("done");
  } finally {
    backend.dispose();
    await files.close();
  }
}

async function check16Bit({ folder, config }: ModelFolder): Promise<void> {
  const stored = await storedFormat(folder, config);
  if (!stored) return;
  const what = `is quantized already: its weights are ${formatName(stored)}. It can be trained as it is; to quantize otherwise, give the 16-bit model.`;
  throw new UsageError(folder.name, what, { stored: stored.name });
}

function aRun(run: string): UsageError {
  const advice = `Merge its adapter into a model first: ${typedCommand()} merge ${shellWord(run)} --to MERGED, then quantize that; or write both at once: --as bnb-nf4.`;
  return new UsageError(run, `is a run, not a model. ${advice}`, { run });
}
