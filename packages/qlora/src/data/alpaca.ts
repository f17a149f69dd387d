// The Alpaca format: how an instruction (and its input) is put to a model that has no chat template.
// Wording: Taori et al. 2023, stanford_alpaca, train.py, PROMPT_DICT; the answer follows the last line at once, and the end-of-sequence token after it.

const WITH_INPUT =
  "Below is an instruction that describes a task, paired with an input that provides further context. " +
  "Write a response that appropriately completes the request.";
const WITHOUT_INPUT = "Below is an instruction that describes a task. Write a response that appropriately completes the request.";

/** The prompt of the Alpaca format; `input` may be empty. */
export const alpacaPrompt = (instruction: string, input: string): string =>
  input === ""
    ? `${WITHOUT_INPUT}\n\n### Instruction:\n${instruction}\n\n### Response:`
    : `${WITH_INPUT}\n\n### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:`;

/** The same as a user's turn for a model with a chat template: no frame, the template is one. */
export const instructionTurn = (instruction: string, input: string): string => (input === "" ? instruction : `${instruction}\n\n${input}`);
