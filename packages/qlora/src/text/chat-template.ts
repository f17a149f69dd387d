// The chat template of a model: messages in, the text the model was trained to read out. Rendering is @huggingface/jinja's; this chooses the template,
// gives it what transformers gives it, freezes the date, and turns what a template refuses into an error that says which messages. The library drops
// {% generation %}, with which a template may mark what the assistant says; here those tags write a mark of their own where one is asked for.
import { Environment, parse, tokenize } from "@huggingface/jinja";
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import { BoundedInterpreter } from "./bounded-interpreter.ts";
import { callPythonStrips, STRIP_FUNCTIONS } from "./python-strip.ts";
import { strftime } from "./strftime.ts";
import type { SpecialTokens } from "./tokenizer.ts";
import { checkTokenizerFiles, pathIn, type TokenizerFiles } from "./tokenizer-files.ts";

/** One turn of a conversation. Further keys (name, reasoning_content, …) go to the template as they are. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [key: string]: unknown;
}

/** How a conversation is rendered. */
export interface RenderOptions {
  /** Whether to end with the header of the assistant's turn, so that generation continues there (default false). */
  readonly addGenerationPrompt?: boolean;
  /** What an error names: the row or command the messages come from. */
  readonly where?: string;
  /** What to write where `{% generation %}` and `{% endgeneration %}` stand (default nothing). */
  readonly generationMark?: string;
}

/** The date that templates see: the one Llama 3's own template falls back to. A fixed date, so that a run repeats tomorrow. */
const FROZEN_DATE = new Date(Date.UTC(2024, 6, 26));

/** A model's chat template, ready to render. */
export class ChatTemplate {
  /** Whether the template marks what the assistant says. */
  readonly marksGeneration: boolean;
  readonly #parsed: ReturnType<typeof parse>;
  readonly #constants: Readonly<Record<string, unknown>>;

  /**
   * @param source The template's text.
   * @param special Tokens whose text the template may write (`bos_token`, `eos_token`, …).
   * @param date What `strftime_now` shows, in UTC.
   * @throws FormatError if the template cannot be parsed.
   */
  constructor(
    readonly source: string,
    special: SpecialTokens = {},
    date: Date = FROZEN_DATE,
  ) {
    const instrumented = source.replace(GENERATION, writingMark);
    this.marksGeneration = instrumented !== source;
    try {
      this.#parsed = parse(tokenize(instrumented, { lstrip_blocks: true, trim_blocks: true })); // as transformers has it
      callPythonStrips(this.#parsed);
    } catch (cause) {
      throw new FormatError("chat template", `cannot be parsed: ${messageOf(cause)}.`, { cause });
    }
    this.#constants = {
      ...CONSTANTS,
      strftime_now: (format: string) => strftime(date, format),
      range: boundedRange,
      raise_exception: refuse,
      ...STRIP_FUNCTIONS,
      bos_token: special.bos?.text ?? "",
      eos_token: special.eos?.text ?? "",
      pad_token: special.pad?.text ?? "",
      unk_token: special.unk?.text ?? "",
      tools: null,
      documents: null,
    };
  }

  /**
   * The template of a folder: `chat_template.jinja`, or the one in `tokenizer_config.json` (the one named "default" of several); undefined without one.
   * @throws FormatError if there are several and none is "default", or if it cannot be parsed.
   */
  static from(files: TokenizerFiles, special: SpecialTokens, date?: Date): ChatTemplate | undefined {
    const { config, chatTemplate } = checkTokenizerFiles(files);
    const given = chatTemplate ?? config.chat_template ?? undefined;
    if (given === undefined || given.length === 0) return undefined;
    if (typeof given === "string") return new ChatTemplate(given, special, date);
    const chosen = given.length === 1 ? given[0] : given.find((named) => named.name === "default");
    if (chosen) return new ChatTemplate(chosen.template, special, date);
    const names = given.map((named) => `"${named.name}"`).join(", ");
    throw new FormatError(pathIn(files, "tokenizer_config.json"), `chat_template has the templates ${names} and none named "default".`);
  }

  /**
   * The text of a conversation.
   * @throws UsageError naming `where` if the template refuses the messages (many insist on alternating roles, some know no system role).
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    const { addGenerationPrompt = false, where = "chat template", generationMark = "" } = options;
    try {
      const given = { ...this.#constants, messages, add_generation_prompt: addGenerationPrompt, generation_mark: generationMark };
      const environment = new Environment();
      for (const [name, value] of Object.entries(given)) environment.set(name, value);
      return String(new BoundedInterpreter(environment).run(this.#parsed).value);
    } catch (cause) {
      const roles = messages.map((message) => message.role);
      const what = `the chat template refuses these messages (${roles.join(", ")}): ${messageOf(cause)}. Change the row, or the template.`;
      throw new UsageError(where, what, { roles }, { cause });
    }
  }
}

/** What templates call truth and nothing. */
const CONSTANTS = { true: true, True: true, false: false, False: false, none: null, None: null };

/** How a template says what it does not take. */
function refuse(message: unknown): never {
  throw new Error(String(message));
}

const GENERATION = /\{%([-+]?)\s*(?:end)?generation\s*([-+]?)%\}/g;

/** A block that writes the mark, with the tag's own rules for the white space before and behind it. */
const writingMark = (_: string, before: string, behind: string): string =>
  `{%${before} if true %}{{ generation_mark }}{% endif ${behind}%}`;

/** The longest range a template may ask for, so that none fills the memory: as in Python's sandbox (jinja2/sandbox.py, MAX_RANGE), which transformers uses. */
const LONGEST_RANGE = 100_000;

/** Jinja's `range`: (stop) or (start, stop, step). */
function boundedRange(first: number, stop?: number, step = 1): number[] {
  const [from, to] = typeof stop === "number" ? [first, stop] : [0, first];
  if (!Number.isInteger(step) || step === 0) throw new Error(`range() with the step ${step}`);
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= LONGEST_RANGE)) throw new Error(`range() of ${length} numbers, where ${LONGEST_RANGE} are allowed`);
  return Array.from({ length }, (_, i) => from + i * step);
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
