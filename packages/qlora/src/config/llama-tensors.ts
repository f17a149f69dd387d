// The tensors a Llama consists of, by the names transformers gives them, from its config alone; and the check of a model's files against them.
import { FormatError, type Shape, sameShape, show } from "@qlora-js/core";
import type { ModelFiles } from "../formats/model-files.ts";
import { quoted } from "../formats/quoted.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import type { LlamaConfig } from "./llama-config.ts";

export type TensorKind = "embedding" | "norm" | "linear" | "bias" | "head";

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: TensorKind;
}

/** A matrix product of the model: y = x · Wᵀ (+ b), W [outFeatures, inFeatures]. Named as PEFT names it: the weight's name without `.weight`. */
export interface LinearModule {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bias: boolean;
}

const HEAD = "lm_head";
const EMBEDDING = "model.embed_tokens.weight";

/** The linear modules of every layer, in the order they compute; the output head is not among them. */
export function llamaLinears(config: LlamaConfig): LinearModule[] {
  const { hiddenSize: d, intermediateSize: ff, attentionBias, mlpBias } = config;
  const q = config.heads * config.headDim;
  const kv = config.kvHeads * config.headDim;
  const rows: readonly (readonly [string, number, number, boolean])[] = [
    ["self_attn.q_proj", q, d, attentionBias],
    ["self_attn.k_proj", kv, d, attentionBias],
    ["self_attn.v_proj", kv, d, attentionBias],
    ["self_attn.o_proj", d, q, attentionBias],
    ["mlp.gate_proj", ff, d, mlpBias],
    ["mlp.up_proj", ff, d, mlpBias],
    ["mlp.down_proj", d, ff, mlpBias],
  ];
  return Array.from({ length: config.layers }, (_, layer) =>
    rows.map(([name, outFeatures, inFeatures, bias]) => ({ name: `model.layers.${layer}.${name}`, outFeatures, inFeatures, bias })),
  ).flat();
}

/** Every tensor the model's files must hold; a tied head is not among them. */
export function llamaTensors(config: LlamaConfig): ExpectedTensor[] {
  const { hiddenSize: d, vocabSize } = config;
  const tensors: ExpectedTensor[] = [{ name: EMBEDDING, shape: [vocabSize, d], kind: "embedding" }];
  for (const { name, outFeatures, inFeatures, bias } of llamaLinears(config)) {
    tensors.push({ name: `${name}.weight`, shape: [outFeatures, inFeatures], kind: "linear" });
    if (bias) tensors.push({ name: `${name}.bias`, shape: [outFeatures], kind: "bias" });
  }
  for (let layer = 0; layer < config.layers; layer++) {
    tensors.push({ name: `model.layers.${layer}.input_layernorm.weight`, shape: [d], kind: "norm" });
    tensors.push({ name: `model.layers.${layer}.post_attention_layernorm.weight`, shape: [d], kind: "norm" });
  }
  tensors.push({ name: "model.norm.weight", shape: [d], kind: "norm" });
  if (!config.tieWordEmbeddings) tensors.push(head(config));
  return tensors;
}

const head = ({ vocabSize, hiddenSize }: LlamaConfig): ExpectedTensor => ({
  name: `${HEAD}.weight`,
  shape: [vocabSize, hiddenSize],
  kind: "head",
});

/** Types that hold weights. */
const READABLE: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);

/**
 * Checks that files hold the model their config describes: every tensor, of its shape, of a type that is read, and no others.
 * A stored copy of a tied head may be there; rotary frequencies that old versions saved are passed over.
 * @throws FormatError with the first tensor that does not fit, and how many more there are
 */
export function checkLlamaTensors(config: LlamaConfig, files: Pick<ModelFiles, "folder" | "tensors">): void {
  const expected = new Map(llamaTensors(config).map((t) => [t.name, t]));
  const allowed = new Map(expected).set(`${HEAD}.weight`, head(config));
  const missing = [...expected.values()].filter(({ name }) => !files.tensors.has(name));
  const extra = [...files.tensors].filter(([name]) => !allowed.has(name) && !name.endsWith("rotary_emb.inv_freq"));
  if (missing.length > 0) {
    const { name, shape } = missing[0]!;
    throw new FormatError(
      files.folder,
      `lacks the tensor ${quoted(name)} ${show(shape)}${more(missing.length)} that its config asks for.${missingAdvice(name, files)}`,
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

function missingAdvice(name: string, files: Pick<ModelFiles, "tensors">): string {
  if (name === `${HEAD}.weight`) return ' Is "tie_word_embeddings" missing from its config?';
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
