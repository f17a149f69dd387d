// The chat template of a model: messages in, the text the model was trained to read out. Rendering is @huggingface/jinja's; this chooses the template,
// gives it what transformers gives it, freezes the date, and turns what a template refuses into an error that says which messages.
import { Template } from "@huggingface/jinja";
import { FormatError } from "@qlora-js/core";
import { UsageError } from "../error.js";
import { strftime } from "./strftime.js";
import { checkTokenizerFiles } from "./tokenizer-files.js";
/** The date that templates see: the one Llama 3's own template falls back to. A fixed date, so that a run repeats tomorrow. */
const FROZEN_DATE = new Date(Date.UTC(2024, 6, 26));
/** A model's chat template, ready to render. */
export class ChatTemplate {
    source;
    #template;
    #constants;
    /**
     * @param source The template's text.
     * @param special Tokens whose text the template may write (`bos_token`, `eos_token`, …).
     * @param date What `strftime_now` shows, in UTC.
     * @throws FormatError if the template cannot be parsed.
     */
    constructor(source, special = {}, date = FROZEN_DATE) {
        this.source = source;
        try {
            // The library declares strftime_now itself and refuses a second declaration, so the template begins by setting it anew; trim_blocks eats the line end.
            this.#template = new Template(`{% set strftime_now = frozen_strftime %}\n${source}`);
        }
        catch (cause) {
            throw new FormatError("chat template", `cannot be parsed: ${messageOf(cause)}.`, { cause });
        }
        this.#constants = {
            frozen_strftime: (format) => strftime(date, format),
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
    static from(files, special, date) {
        const { config, chatTemplate } = checkTokenizerFiles(files);
        const given = chatTemplate ?? config.chat_template ?? undefined;
        if (given === undefined || given.length === 0)
            return undefined;
        if (typeof given === "string")
            return new ChatTemplate(given, special, date);
        const chosen = given.length === 1 ? given[0] : given.find((named) => named.name === "default");
        if (chosen)
            return new ChatTemplate(chosen.template, special, date);
        const names = given.map((named) => `"${named.name}"`).join(", ");
        throw new FormatError("tokenizer_config.json", `chat_template has the templates ${names} and none named "default".`);
    }
    /**
     * The text of a conversation.
     * @throws UsageError naming `where` if the template refuses the messages (many insist on alternating roles, some know no system role).
     */
    render(messages, { addGenerationPrompt = false, where = "chat template" } = {}) {
        try {
            return this.#template.render({ ...this.#constants, messages, add_generation_prompt: addGenerationPrompt });
        }
        catch (cause) {
            const roles = messages.map((message) => message.role);
            const what = `the chat template refuses these messages (${roles.join(", ")}): ${messageOf(cause)}. Change the row, or the template.`;
            throw new UsageError(where, what, { roles }, { cause });
        }
    }
}
const messageOf = (cause) => (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
