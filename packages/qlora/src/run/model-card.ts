// The model card that lies beside an adapter: README.md with the front matter that the hub reads, as PEFT writes it (library, base, tags), and the facts of the
// training filled in.
import type { LoraSettings } from "../formats/peft-config.ts";

export interface CardFacts {
  readonly settings: LoraSettings;
  /** A path, or a name on a hub. */
  readonly baseModel: string;
  readonly data: string;
  readonly rows: number;
  /** How the base was held, in words. */
  readonly format: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Options of the training, by the names that users type. */
  readonly options: readonly (readonly [name: string, value: string | number | boolean])[];
  /** What is known at this step. */
  readonly step: number;
  readonly trainLoss: number | undefined;
  readonly validLoss: number | undefined;
  readonly version: string;
}

/** The text of the card. */
export function modelCard(facts: CardFacts): string {
  const { settings, baseModel, step, trainLoss, validLoss } = facts;
  const losses = [
    ...(trainLoss === undefined ? [] : [["Loss of the last step", trainLoss.toFixed(4)] as const]),
    ...(validLoss === undefined
      ? []
      : [
          ["Loss on held-out rows", validLoss.toFixed(4)] as const,
          ["Perplexity on held-out rows", Math.exp(validLoss).toFixed(3)] as const,
        ]),
  ];
  return `${frontMatter(facts)}
# ${kindOf(settings)} of ${inline(lastPart(baseModel))}

An adapter for ${code(baseModel)}, trained with qlora-js ${facts.version} over ${facts.format}.

\`\`\`python
from peft import PeftModel
from transformers import ${settings.taskType === "CAUSAL_LM" ? "AutoModelForCausalLM" : "AutoModelForSeq2SeqLM"} as Model

model = PeftModel.from_pretrained(Model.from_pretrained(${JSON.stringify(baseModel)}), "this folder")
\`\`\`
${noteOf(settings)}
## Training

${table([
  ["Data", `${code(facts.data)}, ${facts.rows} rows`],
  ["Steps done", step],
  ...losses,
  ["Numbers trained", facts.parameters],
  ["Adapter", adapterWords(settings)],
  ...facts.options.map(([name, value]) => [inline(name), code(String(value))] as const),
])}
### Framework versions

- PEFT 0.21.2 (the files' form)
- qlora-js ${facts.version}
`;
}

function frontMatter({ settings, baseModel }: CardFacts): string {
  const tags = [`base_model:adapter:${baseModel}`, settings.useDora ? "dora" : "lora", "qlora-js", "transformers"];
  return [
    "---",
    `base_model: ${yaml(baseModel)}`,
    "library_name: peft",
    `pipeline_tag: ${settings.taskType === "CAUSAL_LM" ? "text-generation" : "text2text-generation"}`,
    "tags:",
    ...tags.map((tag) => `- ${yaml(tag)}`),
    "---",
  ].join("\n");
}

const kindOf = ({ useDora }: LoraSettings): string => (useDora ? "DoRA" : "LoRA");

function adapterWords(settings: LoraSettings): string {
  const { rank, alpha, dropout, useRslora, bias, modulesToSave, init } = settings;
  const parts = [
    kindOf(settings),
    `rank ${rank}`,
    `alpha ${alpha}${useRslora ? " (rank-stabilized)" : ""}`,
    `dropout ${dropout}`,
    ...(init === "default" ? [] : [`begun by ${init}`]),
    ...(bias === "none" ? [] : [`biases: ${bias}`]),
    ...(modulesToSave.length > 0 ? [`trained whole: ${modulesToSave.join(", ")}`] : []),
  ];
  return inline(parts.join(" · "));
}

/** What a way to begin means for whoever loads the adapter. */
function noteOf({ init }: LoraSettings): string {
  if (init.startsWith("pissa"))
    return `
The adapter began with the largest singular values of the weights (PiSSA), which were taken off the base. What was taken off is stored in the adapter as further
ranks of opposite sign, so that it is plain LoRA over the untouched base model.
`;
  if (init === "loftq")
    return `
The adapter began with what 4-bit quantization takes off the weights (LoftQ). It belongs on the base quantized in the same way, not on its 16-bit weights.
`;
  return "";
}

const table = (rows: readonly (readonly [string, string | number])[]): string =>
  `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |\n`).join("")}`;

const lastPart = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
/** Text that stays text in Markdown and its tables. */
const inline = (text: string): string => text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>|#]/g, (c) => `\\${c}`);
/** The same, as it is typed. */
const code = (text: string): string => {
  const plain = text.replace(/\s+/g, " ").replaceAll("|", "\\|");
  const fence = "`".repeat(1 + Math.max(0, ...(plain.match(/`+/g) ?? []).map((run) => run.length)));
  return fence.length > 1 ? `${fence} ${plain} ${fence}` : `\`${plain}\``;
};
/** A scalar of YAML: plain where that is certain, else quoted as in JSON, which YAML reads. */
const yaml = (text: string): string =>
  /^[A-Za-z0-9][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|[\d.]+)$/i.test(text) ? text : JSON.stringify(text);
