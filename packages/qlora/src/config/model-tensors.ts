// The tensors that a model's files hold by its config, by the names transformers gives them; and the check of files against them.
import { FormatError, type Shape, sameShape, show } from "@qlora-js/core";
import { turnedWeights } from "../formats/bitsandbytes/turned-weights.ts";
import type { ModelFiles } from "../formats/model-files.ts";
import { quoted } from "../formats/quoted.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ModelPart } from "./model-part.ts";
import { modelParts } from "./model-parts.ts";

export type TensorKind = "embedding" | "norm" | "linear" | "bias" | "head";

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: TensorKind;
}

/** Every tensor the model's files must hold; a tied head is not among them. */
export const modelTensors = (config: ModelConfig): ExpectedTensor[] => modelParts(config).flatMap(tensorsOf);

function tensorsOf(part: ModelPart): ExpectedTensor[] {
  if (part.kind === "small") return [{ name: part.name, shape: part.shape, kind: "norm" }];
  if (part.kind !== "linear") return [{ name: part.name, shape: [part.rows, part.columns], kind: part.kind }];
  const { name, outFeatures, inFeatures, bias, transposed } = part;
  const shape = transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
  const weight: ExpectedTensor = { name: `${name}.weight`, shape, kind: "linear" };
  return bias ? [weight, { name: `${name}.bias`, shape: [outFeatures], kind: "bias" }] : [weight];
}

const head = ({ vocabSize, hiddenSize, names }: ModelConfig): ExpectedTensor => ({
  name: `${names.head}.weight`,
  shape: [vocabSize, hiddenSize],
  kind: "head",
});

/** The name that the model has for a tensor of its files; null for one that is passed over. */
export function modelName({ renamed }: ModelConfig, name: string): string | null {
  const [from, to] = renamed.find(([from]) => name.startsWith(from)) ?? ["", ""];
  return to === null ? null : to + name.slice(from.length);
}

/** The tensors of files, each the way round that 16-bit files of the model have it. */
export const asIn16Bit = (config: ModelConfig, tensors: ModelFiles["tensors"]): ModelFiles["tensors"] =>
  config.kind === "decoder" && config.transposedWeights ? turnedWeights(tensors) : tensors;

/** The same by the names that the model has for them. */
export function renamedTensors(config: ModelConfig, tensors: ModelFiles["tensors"]): ModelFiles["tensors"] {
  const given = asIn16Bit(config, tensors);
  if (config.renamed.length === 0) return given;
  return new Map(
    [...given].flatMap(([name, tensor]) => {
      const own = modelName(config, name);
      return own === null ? [] : [[own, tensor] as const];
    }),
  );
}

/** Tables that old versions saved beside the weights: computed here, copies, or of no use. */
const COMPUTED =
  /(rotary_emb\.inv_freq|^(en|de)coder\.embed_tokens\.weight|EncDecAttention\.relative_attention_bias\.weight|\.attn\.(masked_)?bias|\.attention\.(masked_)?bias)$/;

/** Types that hold weights. */
const READABLE: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);

/**
 * Checks that files hold the model their config describes: every tensor, of its shape, of a type that is read, and no others.
 * A stored copy of a tied head may be there; rotary frequencies that old versions saved are passed over.
 * @throws FormatError with the first tensor that does not fit, and how many more there are
 */
export function checkModelTensors(config: ModelConfig, given: Pick<ModelFiles, "folder" | "tensors">): void {
  const files = { folder: given.folder, tensors: renamedTensors(config, given.tensors) };
  const expected = new Map(modelTensors(config).map((t) => [t.name, t]));
  const allowed = new Map(expected).set(head(config).name, head(config));
  const missing = [...expected.values()].filter(({ name }) => !files.tensors.has(name));
  const extra = [...files.tensors].filter(([name]) => !allowed.has(name) && !COMPUTED.test(name));
  if (missing.length > 0) {
    const { name, shape } = missing[0]!;
    throw new FormatError(
      files.folder,
      `lacks the tensor ${quoted(name)} ${show(shape)}${more(missing.length)} that its config asks for.${missingAdvice(name, config, files)}`,
    );
  }
  if (extra.length > 0) {
    const [name, { file, shape }] = extra[0]!;
    throw new FormatError(
      file,
      `holds the tensor ${quoted(name)} ${show(shape)}${more(extra.length)}, for which its config has no place.${extraAdvice(name)}`,
    );
  }
  for (const [name, { shape }] of allowed) {
    const tensor = files.tensors.get(name);
    if (tensor) checkTensor(name, shape, tensor);
  }
}

const more = (count: number): string => (count > 1 ? ` and ${count - 1} more` : "");

function checkTensor(name: string, shape: Shape, tensor: StoredTensor): void {
  if (!sameShape(shape, tensor.shape)) {
    throw new FormatError(
      tensor.file,
      `tensor ${quoted(name)} is ${show(tensor.shape)}, but the config asks for ${show(shape)}. Are both of one model?`,
    );
  }
  if (!READABLE.has(tensor.dtype)) {
    throw new FormatError(
      tensor.file,
      `tensor ${quoted(name)} is of type ${tensor.dtype}; weights are read from ${[...READABLE].join(", ")}.`,
    );
  }
}

function missingAdvice(name: string, config: ModelConfig, files: Pick<ModelFiles, "tensors">): string {
  if (name === head(config).name) return ' Is "tie_word_embeddings" missing from its config?';
  return files.tensors.has(name.replace(/^model\./, ""))
    ? " The names lack the prefix model.; save the whole model, not its inner part."
    : "";
}

function extraAdvice(name: string): string {
  if (/\.(absmax|quant_map|quant_state|SCB|qweight|scales|weight_scale)(\.|$)/.test(name))
    return " It belongs to a quantized model; give the 16-bit one.";
  if (name.endsWith(".bias")) return ' Are "attention_bias" or "mlp_bias" missing from its config?';
  return "";
}
