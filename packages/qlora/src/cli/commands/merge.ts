// `qlora merge MODEL --adapter DIR --to PATH`: model and adapter made one, for tools that know nothing of adapters.
import { namedFormat, nf4, type QFormat } from "@qlora-js/core";
import { z } from "zod";
import { UsageError } from "../../error.ts";
import { formatName } from "../../formats/bitsandbytes/format-name.ts";
import { storedFormat } from "../../formats/bitsandbytes/stored-format.ts";
import { openModelFiles } from "../../formats/model-files.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openAdapter } from "../../formats/open-adapter.ts";
import type { PeftAdapter } from "../../formats/peft-adapter.ts";
import { mergedFiles } from "../../merge/merged-files.ts";
import { showBytes } from "../../plan/byte-size.ts";
import { bytesOption } from "../bytes-option.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { locateModel } from "../locate-model.ts";
import { openBackend } from "../open-backend.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { choiceOption, textOption } from "../option-table.ts";
import { ADAPTER_OPTIONS, BACKEND_OPTIONS, FORMAT_OPTIONS, type FormatOptions, formatWords, HUB_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { shellWord, shortestPath, typedCommand } from "../typed-command.ts";
import { plural } from "../wording.ts";
import { freePath } from "../write/free-path.ts";
import { MERGE_BASES, mergeBase } from "../write/merge-base.ts";
import { GGUF_TYPES, OUTPUT_KINDS, OUTPUT_WORDS } from "../write/output-kind.ts";
import { type Written, writeModel } from "../write/write-model.ts";
import { writeQuantized } from "../write/write-quantized.ts";

const { blockSize, doubleQuant } = FORMAT_OPTIONS;
const { backend, threads } = BACKEND_OPTIONS;

const OPTIONS = {
  ...ADAPTER_OPTIONS,
  to: textOption("--to <path>", z.string().min(1).optional(), {
    help: "what to write: a folder, or a file for GGUF; must not be there yet",
    expects: "a path",
  }),
  as: choiceOption("--as <kind>", OUTPUT_KINDS, "safetensors", "what to write it as"),
  base: choiceOption(
    "--base <weights>",
    MERGE_BASES,
    "trained",
    "what the adapter is added to: the weights that training saw, where a run says it, else 16bit; the file's own numbers; or what is left of them in 4 bits",
  ),
  blockSize,
  doubleQuant,
  maxShardSize: bytesOption(
    "--max-shard-size <bytes>",
    z.int().positive().default(5_000_000_000),
    "the most bytes of tensors in one safetensors file",
  ),
  backend,
  threads,
  ...HUB_OPTIONS,
};

export const mergeCommand = defineCommand({
  args: "<model>",
  summary: "Merge an adapter into its model, for other tools: safetensors or GGUF",
  options: OPTIONS,
  run,
});

async function run({ args, options, given, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const { as, base } = options;
  const hub = { ...options, output };
  const located = await locateModel(args[0]!, { adapter: options.adapter, format: { ...options, format: "none" }, given, hub });
  if (located.adapter === undefined)
    throw new UsageError("--adapter", "is missing. Give the folder of the adapter to merge, or a run folder as the model.", {});
  const to = await freePath(options.to, GGUF_TYPES[as] ? "file" : "folder");
  const model = await openModelFolder(located.model);
  const stored = await storedFormat(model.folder, model.config);
  if (stored && (base === "nf4" || base === "fp4") && base !== stored.name) throw otherBase(base, stored, model);
  const chosen = await mergeBase(located.adapter, options, given);
  const format: FormatOptions = stored ? { ...chosen, format: "none" } : chosen;
  const files = await openModelFiles(model.folder);
  try {
    const adapter = await openAdapter(await openFolder(located.adapter), model.config);
    try {
      announce(output, model, adapter, { ...options, format, stored });
      const { backend } = await openBackend(options);
      try {
        const merging = { backend, config: model.config, files, adapter, base: formatOf(format) };
        const merged = mergedFiles({ ...merging, precision: GGUF_TYPES[as] ? "f32" : "file" });
        const writing = { maxShardBytes: options.maxShardSize, output };
        const written =
          as === "bnb-nf4"
            ? await writeQuantized(to, model, merged, { backend, format: stored?.name === "nf4" ? stored : nf4(), ...writing })
            : await writeModel(to, model, merged, { as, ...writing });
        conclude(output, written, model);
      } finally {
        backend.dispose();
      }
    } finally {
      await adapter.close();
    }
  } finally {
    await files.close();
  }
}

const formatOf = ({ format, ...choices }: FormatOptions): QFormat | null => (format === "none" ? null : namedFormat(format, choices));

function otherBase(base: string, stored: QFormat, { folder }: ModelFolder): UsageError {
  const what = `is ${base}, and the weights of ${folder.name} are ${formatName(stored)} already. Leave it out: the adapter is added to those, or give the 16-bit model.`;
  return new UsageError("--base", what, { base, stored: stored.name });
}

interface Announced {
  readonly as: (typeof OUTPUT_KINDS)[number];
  readonly format: FormatOptions;
  /** What the file's own weights are, where they are 4-bit. */
  readonly stored: QFormat | undefined;
}

/** Says which weights the adapter is added to: the two give different models. */
function announce(output: Output, { folder, config }: ModelFolder, adapter: PeftAdapter, { as, format, stored }: Announced): void {
  const own = format.format === "none";
  output.facts("model", `${shortestPath(folder.name)} · ${config.modelType}`);
  output.facts("adapter", `${shortestPath(adapter.folder)} · rank ${adapter.settings.rank} on ${plural(adapter.modules.size, "layer")}`);
  output.facts("into", intoWords(format, stored));
  output.facts("as", OUTPUT_WORDS[as]);
  output.event("merge", {
    model: folder.name,
    adapter: adapter.folder,
    modules: adapter.modules.size,
    as,
    base: stored?.name ?? (own ? "16bit" : format.format),
    ...(own ? {} : { blockSize: format.blockSize, doubleQuant: format.doubleQuant }),
  });
}

function intoWords(format: FormatOptions, stored: QFormat | undefined): string {
  if (stored) return `the file's own weights, ${formatName(stored)}, dequantized · what training over this file saw`;
  return format.format === "none"
    ? "the file's own weights · an adapter that was trained over 4-bit weights makes up for their errors: --base nf4 adds it to those"
    : `the file's weights as ${formatWords(format)} leaves them, whose errors training over them made up for · --base 16bit takes the file's own`;
}

function conclude(output: Output, { path, bytes, files, warnings }: Written, { tokenizer, template }: ModelFolder): void {
  for (const warning of warnings) output.facts("note", warning);
  const where = shortestPath(path);
  output.facts("written", `${where} · ${showBytes(bytes)}${files.length > 1 ? ` · ${plural(files.length, "file")}` : ""}`);
  const generate = `${typedCommand()} generate ${shellWord(where)} ${tokenizer ? '--prompt "…"' : "--prompt-ids 1,2,3"}`;
  const talk = template ? `${typedCommand()} chat ${shellWord(where)}` : generate;
  const next = files.length > 1 || !tokenizer ? talk : `llama-cli -m ${shellWord(where)}`;
  output.facts("next", next);
  output.event("written", { path, bytes, files, warnings, next });
  output.event("done");
}
