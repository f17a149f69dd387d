// `qlora generate MODEL --prompt …`: one answer, streamed.
import { z } from "zod";
import { UsageError } from "../../error.ts";
import { conversationIds, textIds } from "../../generate/prompt-ids.ts";
import { endOnce } from "../../text/end-once.ts";
import { answer } from "../answer.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { locateModel } from "../locate-model.ts";
import { modelFormat } from "../model-format.ts";
import { openAdapted } from "../open-adapted.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import { switchOption, textOption } from "../option-table.ts";
import { ADAPTERS_OPTIONS, BACKEND_OPTIONS, FORMAT_OPTIONS, formatOf, HUB_OPTIONS, SEED_OPTIONS } from "../options.ts";
import { generateOptions, SAMPLING_OPTIONS } from "../sampling-options.ts";
import { count } from "../wording.ts";

const OPTIONS = {
  prompt: textOption("--prompt <text>", z.string().optional(), {
    help: "what to answer; a user's turn where the model has a chat template",
    expects: "a text",
  }),
  promptIds: textOption(
    "--prompt-ids <ids>",
    z
      .string()
      .regex(/^\d+(,\d+)*$/)
      .optional(),
    {
      help: "the prompt as token ids, for folders without a tokenizer",
      expects: "ids such as 1,2,3",
    },
  ),
  raw: switchOption("--raw", z.boolean().default(false), "take the prompt as it is, without the chat template"),
  ...ADAPTERS_OPTIONS,
  ...SAMPLING_OPTIONS,
  ...SEED_OPTIONS,
  ...FORMAT_OPTIONS,
  ...BACKEND_OPTIONS,
  ...HUB_OPTIONS,
};

export const generateCommand = defineCommand({
  args: "<model>",
  summary: "Continue a prompt",
  options: OPTIONS,
  run,
});

async function run({ args, options, given, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const located = await locateModel(args[0]!, { adapter: options.adapter, format: options, given, hub: { ...options, output } });
  const folder = await openModelFolder(located.model);
  const prompt = promptIds(folder, options);
  const format = await modelFormat(folder, located.format, given);
  const session = await openAdapted(folder, { format: formatOf(format), on: options, output }, located.adapters);
  try {
    const { tokenizer, stopIds } = folder;
    const onText = (piece: string): void => output.write(piece);
    const said = await answer(session.model, prompt, { ...generateOptions(options, options.seed, stopIds), tokenizer, onText });
    output.line();
    if (output.terminal)
      output.line(
        output.colors.dim(`${count(said.ids.length)} tokens · ${said.tokensPerSecond.toFixed(1)} tok/s · prompt ${prompt.length}`),
      );
    output.event("generate", { ...said, promptTokens: prompt.length });
    output.event("done");
  } finally {
    session.close();
  }
}

interface Prompt {
  readonly prompt: string | undefined;
  readonly promptIds: string | undefined;
  readonly raw: boolean;
}

function promptIds({ folder, config, tokenizer, template }: ModelFolder, { prompt, promptIds, raw }: Prompt): number[] {
  if ((prompt === undefined) === (promptIds === undefined)) {
    const what = prompt === undefined ? "is missing. Give what to answer, or --prompt-ids." : "and --prompt-ids are both given. Give one.";
    throw new UsageError("--prompt", what);
  }
  if (promptIds !== undefined) return promptIds.split(",").map(Number);
  if (!tokenizer)
    throw new UsageError("--prompt", `is text, and ${folder.name} has no tokenizer.json. Add it, or give --prompt-ids.`, {
      folder: folder.name,
    });
  if (config.kind === "t5") return [...endOnce(tokenizer.encode(prompt!), tokenizer)];
  return template && !raw ? conversationIds(tokenizer, template, [{ role: "user", content: prompt! }]) : textIds(tokenizer, prompt!);
}
