// Tensors of a model that an adapter may hold whole: tables, norms, biases. By the names PEFT has for their modules, which are those of transformers' code.
import type { Shape } from "@qlora-js/core";
import { UsageError } from "../error.ts";
import type { LoraSettings } from "../formats/peft-config.ts";
import { quoted } from "../formats/quoted.ts";
import type { ModelConfig } from "./model-config.ts";
import { linearModules, modelParts } from "./model-parts.ts";

export interface SavableTensor {
  /** As the model's files name it. */
  readonly name: string;
  /** Its module by PEFT's name. */
  readonly module: string;
  readonly ending: "weight" | "bias";
  readonly shape: Shape;
  /** The module is a matrix product of a layer: its bias is here, its weight is frozen. */
  readonly ofLinear: boolean;
}

/** What transformers' code calls every family's output head, whatever files call it. */
const HEAD = "lm_head";

/**
 * Every tensor that may be trained whole, a tied head included. Not among them are norms that multiply by 1 + weight, which f32 would round when they are
 * stored; and T5's tables, which both stacks share.
 */
export function savableTensors(config: ModelConfig): SavableTensor[] {
  const { names, vocabSize, hiddenSize, tieWordEmbeddings } = config;
  const found = modelParts(config).flatMap((part): SavableTensor[] => {
    if (part.kind === "linear")
      return part.bias ? [{ name: `${part.name}.bias`, module: part.name, ending: "bias", shape: [part.outFeatures], ofLinear: true }] : [];
    if (part.kind === "small" ? part.plusOne || part.shape.length > 1 : part.kind === "embedding" && config.kind === "t5") return [];
    const at = part.name.lastIndexOf(".");
    const own = part.name.slice(0, at);
    return [
      {
        name: part.name,
        module: own === names.head ? HEAD : own,
        ending: part.name.slice(at + 1) as SavableTensor["ending"],
        shape: part.kind === "small" ? part.shape : [part.rows, part.columns],
        ofLinear: false,
      },
    ];
  });
  const head: SavableTensor = {
    name: `${names.head}.weight`,
    module: HEAD,
    ending: "weight",
    shape: [vocabSize, hiddenSize],
    ofLinear: false,
  };
  return tieWordEmbeddings ? [...found, head] : found;
}

/**
 * The tensors that settings train whole besides the low-rank matrices: of `modules_to_save`, and biases (PEFT's `_set_trainable` and `bias`).
 * @param targets modules that are adapted
 * @param where for errors: the file, or the option
 * @throws UsageError if `modules_to_save` names nothing that can be trained whole
 */
export function wholeTensors(
  { modulesToSave, bias }: Pick<LoraSettings, "modulesToSave" | "bias">,
  config: ModelConfig,
  targets: ReadonlySet<string>,
  where: string,
): SavableTensor[] {
  const all = savableTensors(config);
  for (const name of modulesToSave) checkSaved(name, config, all, where);
  return all.filter(({ module, ending, ofLinear }) => {
    if (!ofLinear && modulesToSave.some((name) => module.endsWith(name))) return true;
    return ending === "bias" && (bias === "all" || (bias === "lora_only" && targets.has(module)));
  });
}

function checkSaved(name: string, config: ModelConfig, all: readonly SavableTensor[], where: string): void {
  const linear = linearModules(config).find((module) => module.name.endsWith(name));
  if (!linear && all.some(({ module, ofLinear }) => !ofLinear && module.endsWith(name))) return;
  const why = linear ? `means ${linear.name}, a linear layer, which is frozen here` : "names no module that can be trained whole";
  const some = [...new Set(all.filter(({ ofLinear }) => !ofLinear).map(({ module }) => module.slice(module.lastIndexOf(".") + 1)))];
  throw new UsageError(where, `modules_to_save ${quoted(name)} ${why}. Give some of ${some.join(", ")}.`, { value: name });
}
