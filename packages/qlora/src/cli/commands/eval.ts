// `qlora eval MODEL DATA`: how well the model predicts the data, every supervised token weighing the same.
import { z } from "zod";
import { evaluate } from "../../train/evaluate.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { CountedWork } from "../counted-work.ts";
import { LENGTH_OPTIONS } from "../data-options.ts";
import { locateModel } from "../locate-model.ts";
import { modelFormat } from "../model-format.ts";
import { adapterWords, openAdapted } from "../open-adapted.ts";
import { openModelFolder } from "../open-model.ts";
import { numberOption } from "../option-table.ts";
import { ADAPTERS_OPTIONS, BACKEND_OPTIONS, FORMAT_OPTIONS, formatOf, formatWords, HUB_OPTIONS } from "../options.ts";
import { readExamples, splitToEvaluate } from "../read-examples.ts";
import { plural } from "../wording.ts";

const OPTIONS = {
  ...ADAPTERS_OPTIONS,
  batch: numberOption("--batch <rows>", z.int().positive().default(4), { help: "rows at a time", expects: "a whole number, 1 or more" }),
  ...LENGTH_OPTIONS,
  ...FORMAT_OPTIONS,
  ...BACKEND_OPTIONS,
  ...HUB_OPTIONS,
};

export const evalCommand = defineCommand({
  args: "<model> <data>",
  summary: "Loss, perplexity and bits per byte on valid.jsonl of a folder, or on a file",
  options: OPTIONS,
  run,
});

async function run({ args, options, given, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const located = await locateModel(args[0]!, { adapter: options.adapter, format: options, given, hub: { ...options, output } });
  const folder = await openModelFolder(located.model);
  const paths = await splitToEvaluate(args[1]!, { ...options, output });
  const { examples } = await readExamples(paths, folder, options.maxLength);
  const format = await modelFormat(folder, located.format, given);
  const session = await openAdapted(folder, { format: formatOf(format), on: options, output }, located.adapters);
  try {
    const work = new CountedWork(output, "eval", "rows");
    const result = await evaluate(session.model, examples, options.batch, (rows) => work.show(rows, examples.length));
    const path = paths.length === 1 ? paths[0]! : `${paths[0]} and ${paths.length - 1} more`;
    const { loss, perplexity, bitsPerByte, supervisedTokens } = result;
    const adapter = located.adapters.length === 0 ? "" : ` · adapter ${adapterWords(located.adapters)}`;
    output.facts("model", `${located.model} · ${formatWords(format)}${adapter}`);
    output.facts("data", `${path} · ${plural(examples.length, "row")} · ${plural(supervisedTokens, "supervised token")}`);
    const bytes = Number.isFinite(bitsPerByte) ? ` · ${bitsPerByte.toFixed(4)} bits per byte` : "";
    output.facts("loss", `${loss.toFixed(4)} · perplexity ${perplexity.toFixed(3)}${bytes}`);
    output.event("eval", { ...result, rows: examples.length, data: paths[0]! });
    output.event("done");
  } finally {
    session.close();
  }
}
