// `qlora inspect MODEL DATA`: what the model will be trained on, token by token. No weights are read.
import { z } from "zod";
import { previewTokens, type Segment } from "../../data/preview.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { dataLine, lossLine, paint, tokensLine } from "../data-lines.ts";
import { LENGTH_OPTIONS } from "../data-options.ts";
import { localData } from "../from-hub.ts";
import { locateModel } from "../locate-model.ts";
import { openModelFolder } from "../open-model.ts";
import { numberOption } from "../option-table.ts";
import { HUB_OPTIONS } from "../options.ts";
import { readExamples } from "../read-examples.ts";
import { count } from "../wording.ts";

const OPTIONS = {
  rows: numberOption("--rows <n>", z.int().nonnegative().default(3), { help: "rows to show", expects: "a whole number, 0 or more" }),
  ...LENGTH_OPTIONS,
  ...HUB_OPTIONS,
};

export const inspectCommand = defineCommand({
  args: "<model> <data>",
  summary: "Show rows as the tokens they become: context, supervised, special",
  options: OPTIONS,
  run,
});

async function run({ args, options, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const hub = { ...options, output };
  const { model } = await locateModel(args[0]!, { adapter: undefined, format: NO_FORMAT, given: new Set(), hub, wanted: "text" });
  const folder = await openModelFolder(model);
  const paths = await localData(args[1]!, hub);
  const train = await readExamples(paths.train, folder, options.maxLength);
  const valid = paths.valid === undefined ? undefined : await readExamples(paths.valid, folder, options.maxLength);
  output.facts("data", dataLine(train.statistics, valid?.statistics, folder));
  output.facts("tokens", tokensLine(train.statistics));
  output.facts("loss on", lossLine(train.statistics, folder));
  output.event("data", { train: train.statistics, valid: valid?.statistics ?? null });
  const { colors } = output;
  for (const example of train.examples.slice(0, options.rows)) {
    const { line, inputIds, supervised, truncated } = example;
    const tokens = previewTokens(example, folder.tokenizer);
    const cut = truncated ? ` · cut from ${count(example.fullLength)}` : "";
    output.line();
    output.line(colors.bold(`line ${line}`) + colors.dim(` · ${count(inputIds.length)} tokens, ${count(supervised)} supervised${cut}`));
    output.line(paint(withoutLastBreak(tokens), colors).trimEnd());
    output.event("row", { line, truncated, fullLength: example.fullLength, tokens });
  }
  if (options.rows > 0) {
    output.line();
    output.line(
      colors.isColorSupported
        ? `${colors.gray("context")} ${colors.green("supervised")} ${colors.bgBlackBright(colors.white("special"))}`
        : "[supervised] context",
    );
  }
  output.event("done");
}

/** Rows end with a line end as a rule; shown, it would be one too many, and colours hide it from trimming. */
function withoutLastBreak(tokens: readonly Segment[]): Segment[] {
  const last = tokens.at(-1);
  return last ? [...tokens.slice(0, -1), { ...last, text: last.text.trimEnd() }] : [];
}

/** What weights are held in makes no difference here. */
const NO_FORMAT = { format: "none", blockSize: 64, doubleQuant: true } as const;
