// `qlora chat MODEL`: a conversation in turns. /exit, Ctrl-D, or Ctrl-C at the prompt ends it; Ctrl-C during an answer ends the answer.
import { createInterface, type Interface } from "node:readline";
import { UsageError } from "../../error.ts";
import { conversationIds } from "../../generate/prompt-ids.ts";
import type { ChatMessage } from "../../text/chat-template.ts";
import { type Answer, answer } from "../answer.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { locateModel } from "../locate-model.ts";
import { modelFormat } from "../model-format.ts";
import { openAdapted } from "../open-adapted.ts";
import { type ModelFolder, openModelFolder } from "../open-model.ts";
import type { Session } from "../open-session.ts";
import { ADAPTERS_OPTIONS, BACKEND_OPTIONS, FORMAT_OPTIONS, formatOf, HUB_OPTIONS, SEED_OPTIONS } from "../options.ts";
import type { Output } from "../output.ts";
import { generateOptions, SAMPLING_OPTIONS } from "../sampling-options.ts";

const OPTIONS = { ...ADAPTERS_OPTIONS, ...SAMPLING_OPTIONS, ...SEED_OPTIONS, ...FORMAT_OPTIONS, ...BACKEND_OPTIONS, ...HUB_OPTIONS };

export const chatCommand = defineCommand({
  args: "<model>",
  summary: "Talk with a model in turns",
  options: OPTIONS,
  run,
});

const HELP = "/exit or Ctrl-D ends, /new begins anew, Ctrl-C stops an answer.";

async function run({ args, options, given, output }: Invocation<typeof OPTIONS>): Promise<void> {
  const located = await locateModel(args[0]!, { adapter: options.adapter, format: options, given, hub: { ...options, output } });
  const folder = await openModelFolder(located.model);
  checkTalks(folder);
  const format = await modelFormat(folder, located.format, given);
  const session = await openAdapted(folder, { format: formatOf(format), on: options, output }, located.adapters);
  try {
    output.line(output.colors.dim(HELP));
    const talk = new Talk(session, output);
    // a seed of its own for every turn, so that the same question is not answered with the same draws
    await talk.run((turn) => generateOptions(options, options.seed + turn, folder.stopIds));
    output.event("done");
  } finally {
    session.close();
  }
}

function checkTalks({ folder, tokenizer, template }: ModelFolder): void {
  if (!tokenizer) throw new UsageError(folder.name, "has no tokenizer.json, so there is no text to talk in. Use generate --prompt-ids.");
  if (!template) throw new UsageError(folder.name, "has no chat template, so it knows no turns. Use generate --raw --prompt TEXT.");
}

class Talk {
  readonly #lines: Interface;
  #messages: ChatMessage[] = [];
  #answering = false;
  #stopped = false;

  constructor(
    readonly session: Session,
    readonly output: Output,
  ) {
    const shown = output.terminal ? { output: process.stdout } : {};
    this.#lines = createInterface({ input: process.stdin, prompt: "you › ", ...shown });
    this.#lines.on("SIGINT", () => {
      if (this.#answering) this.#stopped = true;
      else this.#lines.close();
    });
  }

  async run(options: (turn: number) => ReturnType<typeof generateOptions>): Promise<void> {
    let turn = 0;
    this.#prompt();
    for await (const line of this.#lines) {
      const said = line.trim();
      if (said === "/exit") break;
      if (said === "/new") this.#messages = [];
      else if (said === "/help") this.output.line(HELP);
      else if (said !== "") await this.#turn(said, options(turn++));
      this.#prompt();
    }
    this.#lines.close();
    if (this.output.terminal) this.output.line();
  }

  #prompt(): void {
    if (this.output.terminal) this.#lines.prompt();
  }

  async #turn(content: string, options: ReturnType<typeof generateOptions>): Promise<void> {
    const { output, session } = this;
    const { tokenizer, template } = session.folder;
    const asked: ChatMessage[] = [...this.#messages, { role: "user", content }];
    [this.#answering, this.#stopped] = [true, false];
    try {
      const ids = conversationIds(tokenizer!, template!, asked);
      const onText = (piece: string): void => output.write(piece);
      const said: Answer = await answer(session.model, ids, { ...options, tokenizer, onText, stopped: () => this.#stopped });
      this.#messages = [...asked, { role: "assistant", content: said.text }];
      output.line();
      output.event("generate", { ...said, promptTokens: ids.length });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      output.line(`${output.colors.red(error.message)} /new begins anew.`);
      output.event("error", { name: error.name, message: error.message });
    } finally {
      this.#answering = false;
    }
  }
}
