// `qlora compare MODEL --text FILE`: what each 4-bit format costs this model on this text, beside the numbers of its file.
import { readFile } from "node:fs/promises";
import { BLOCK_SIZES, namedFormat, type QFormat } from "@qlora-js/core";
import { z } from "zod";
import { type Comparison, compareFormats } from "../../compare/compare-formats.ts";
import { type ComparedModel, quantizedCopy } from "../../compare/compared-models.ts";
import { pairedMean } from "../../compare/paired-mean.ts";
import { UsageError } from "../../error.ts";
import { didYouMean } from "../../nearest-name.ts";
import { beginOnce } from "../../text/begin-once.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { CountedWork } from "../counted-work.ts";
import { locateModel } from "../locate-model.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { Session } from "../open-session.ts";
import { numberOption, textOption } from "../option-table.ts";
import { BACKEND_OPTIONS, FORMAT_OPTIONS, HUB_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { tableLines } from "../table.ts";
import { count, percent, plural } from "../wording.ts";

/** Names of the paper's table 2, and what they are. */
const FORMATS: Readonly<Record<string, readonly [words: string, format: (blockSize: number) => QFormat]>> = {
  "nf4-dq": ["NF4 + DQ", (blockSize) => namedFormat("nf4", { blockSize })],
  nf4: ["NF4", (blockSize) => namedFormat("nf4", { blockSize, doubleQuant: false })],
  fp4: ["FP4 (E2M1)", (blockSize) => namedFormat("fp4", { blockSize, doubleQuant: false })],
  e3m0: ["FP4 (E3M0)", (blockSize) => namedFormat("e3m0", { blockSize, doubleQuant: false })],
  int4: ["Int4", (blockSize) => namedFormat("int4", { blockSize, doubleQuant: false })],
};

const OPTIONS = {
  text: textOption("--text <file>", z.string().min(1).optional(), { help: "the text to read, UTF-8", expects: "a file of text" }),
  formats: textOption("--formats <names>", z.string().default(Object.keys(FORMATS).join(",")), {
    help: "what to compare",
    expects: `some of ${Object.keys(FORMATS).join(",")}`,
  }),
  blockSize: FORMAT_OPTIONS.blockSize,
  length: numberOption("--length <n>", z.int().min(2).optional(), {
    help: "tokens of a window of text; 256, or as many as the model has positions for",
    expects: "a whole number, 2 or more",
  }),
  tokens: numberOption("--tokens <n>", z.int().min(2).default(20_000), {
    help: "tokens to read at most, from the beginning of the text",
    expects: "a whole number, 2 or more",
  }),
  ...BACKEND_OPTIONS,
  ...HUB_OPTIONS,
};
type CompareInvocation = Invocation<typeof OPTIONS>;

export const compareCommand = defineCommand({
  args: "<model>",
  summary: "What 4-bit formats cost a model: perplexity, divergence, agreement, bits a weight, on a text",
  options: OPTIONS,
  run,
});

async function run({ args, options, output }: CompareInvocation): Promise<void> {
  const formats = formatsNamed(options.formats);
  const { model } = await locateModel(args[0]!, { adapter: undefined, format: NO_FORMAT, given: ALL_GIVEN, hub: { ...options, output } });
  const folder = await openModelFolder(model);
  if (folder.config.kind !== "decoder")
    throw new UsageError(model, `is a ${folder.config.modelType}, which does not continue texts. Give a decoder-only model.`);
  if (folder.config.quantization)
    throw new UsageError(model, "is quantized already, and formats are compared with what they are made from. Give the 16-bit model.");
  const windows = await readWindows(folder, options);
  const session = await Session.open(folder, { format: null, on: options, output });
  const compared: ComparedModel[] = [];
  try {
    for (const [name, format] of formats) {
      output.status(`  quantizing to ${name}`);
      compared.push(await quantizedCopy(session.model, name, format(options.blockSize)));
    }
    const reading = new CountedWork(output, "reading", "windows");
    const comparison = await compareFormats(session.model, compared, windows, (done) => reading.show(done, windows.length));
    output.clearStatus();
    show(output, { model, text: options.text!, comparison, compared });
  } finally {
    for (const copy of compared) copy.dispose();
    session.close();
  }
}

function formatsNamed(names: string): (readonly [string, (blockSize: number) => QFormat])[] {
  return [...new Set(names.split(",").map((name) => name.trim().toLowerCase()))].map((name) => {
    const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
    if (format) return format;
    throw new UsageError(
      "--formats",
      `"${name}" is no format.${didYouMean(name, Object.keys(FORMATS))} There are ${Object.keys(FORMATS).join(", ")}.`,
      { name },
    );
  });
}

interface WindowOptions {
  readonly text: string | undefined;
  readonly length: number | undefined;
  readonly tokens: number;
}

/** The text in windows that do not overlap; each begins as texts of the model begin. */
async function readWindows(
  { folder, config, tokenizer }: ModelFolder,
  { text, length = Math.min(256, config.maxPositions), tokens }: WindowOptions,
): Promise<Int32Array[]> {
  if (text === undefined) throw new UsageError("--text", "is missing. Give a file of text for the models to read.");
  if (!tokenizer) throw new UsageError(folder.name, "has no tokenizer.json, so no text can be read.");
  if (length > config.maxPositions)
    throw new UsageError("--length", `is ${length}, and the model has positions for ${config.maxPositions}. Give at most that.`, {
      length,
    });
  const content = await readFile(text, "utf8").catch((cause: unknown) => {
    throw new UsageError("--text", `${text} cannot be read. Give a file of text.`, { text }, { cause });
  });
  const ids = tokenizer.encode(content, { addSpecialTokens: false }).slice(0, tokens);
  const begins = beginOnce([], tokenizer);
  const room = length - begins.length;
  const windows = Array.from({ length: Math.ceil(ids.length / room) }, (_, w) =>
    Int32Array.from([...begins, ...ids.slice(w * room, (w + 1) * room)]),
  ).filter((window) => window.length > 1);
  if (windows.length === 0)
    throw new UsageError("--text", `${text} has ${plural(ids.length, "token")}: too few to predict one. Give more text.`, { text });
  return windows;
}

interface Shown {
  readonly model: string;
  readonly text: string;
  readonly comparison: Comparison;
  readonly compared: readonly ComparedModel[];
}

function show(output: Output, { model, text, comparison, compared }: Shown): void {
  const { perplexity, tokens, windows, formats } = comparison;
  output.facts("model", model);
  output.facts("text", `${text} · ${count(tokens)} tokens in ${plural(windows, "window")}`);
  const rows = formats.map((f, i) => {
    const worst = [...compared[i]!.layers].sort((a, b) => b.relativeError - a.relativeError)[0];
    return [
      f.name,
      f.bitsPerParameter.toFixed(3),
      f.perplexity.toFixed(3),
      `${f.lossAbove.mean.toFixed(4)} ± ${f.lossAbove.halfWidth.toFixed(4)}`,
      `${f.divergence.mean.toFixed(4)} ± ${f.divergence.halfWidth.toFixed(4)}`,
      percent(f.agreement),
      percent(rootMeanSquare(compared[i]!)),
      worst ? `${percent(worst.relativeError)} ${worst.name}` : "",
    ];
  });
  const head = ["", "bits", "perplexity", "loss above", "KL", "same top", "weights off", "most"];
  const original = ["the file's numbers", "", perplexity.toFixed(3), "", "", "", "", ""];
  for (const line of tableLines([head, original, ...rows], { text: [7] })) output.line(line);
  for (const line of order(comparison)) output.line(output.colors.dim(`  ${line}`));
  output.event("compare", {
    model,
    text,
    tokens,
    windows,
    perplexity,
    formats: formats.map(({ windowLosses: _, format, ...f }, i) => ({
      ...f,
      blockSize: format.blockSize,
      doubleQuant: format.doubleQuant,
      layers: compared[i]!.layers,
    })),
    order: order(comparison),
  });
  output.event("done");
}

/** Of all layers' weights together, each layer weighing the same. */
const rootMeanSquare = ({ layers }: ComparedModel): number =>
  Math.sqrt(layers.reduce((total, { relativeError }) => total + relativeError ** 2, 0) / layers.length);

/** Formats from best to worst, and of neighbours whether the text tells them apart. */
function order({ formats }: Comparison): string[] {
  const sorted = [...formats].sort((a, b) => a.perplexity - b.perplexity);
  return sorted.slice(1).map((worse, i) => {
    const better = sorted[i]!;
    const apart = pairedMean(
      worse.windowLosses.map((loss, w) => loss - better.windowLosses[w]!),
      worse.windowLosses.map(() => 1),
    );
    const sure = apart.mean > apart.halfWidth ? "" : " (this text cannot tell them apart)";
    return `${better.name} before ${worse.name} by ${apart.mean.toFixed(4)} ± ${apart.halfWidth.toFixed(4)} nats a token${sure}`;
  });
}

const NO_FORMAT = { format: "none", blockSize: BLOCK_SIZES[0]!, doubleQuant: false } as const;
const ALL_GIVEN: ReadonlySet<string> = new Set(["format", "blockSize", "doubleQuant"]);
