// What a GGUF file says of a model besides its tokenizer. Keys: ggml docs/gguf.md; which of them an architecture has, and their values: llama.cpp
// v0.5.0, conversion/<family>.py (`set_gguf_parameters`).
import { type DecoderConfig, layerKind, type RopeConfig, type RopeScaling } from "../../config/decoder-config.ts";
import { UsageError } from "../../error.ts";
import type { GgufArchitecture } from "../gguf/tensor-names.ts";
import type { WrittenType } from "./encode-tensor.ts";
import { bool, bools, float32, type GgufValue, string, uint32 } from "./gguf-value.ts";

/** `general.file_type` (llama.cpp include/llama.h, `llama_ftype`). */
export const FILE_TYPE: Readonly<Record<WrittenType, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7 };
/** Of the quantized layouts (`GGML_QNT_VERSION`). */
export const QUANTIZATION_VERSION = 2;

type Entry = [string, GgufValue];

export interface Described {
  readonly name: string;
  readonly type: WrittenType;
  readonly parameterCount: number;
}

/** @throws UsageError for a scaling of rotary positions that llama.cpp does not have */
export function modelMetadata(architecture: GgufArchitecture, c: DecoderConfig, { name, type, parameterCount }: Described): Entry[] {
  const own = (key: string, value: GgufValue): Entry => [`${architecture}.${key}`, value];
  const headDim =
    c.ropes.length > 0 ? [own("attention.key_length", uint32(c.headDim)), own("attention.value_length", uint32(c.headDim))] : [];
  return [
    ["general.architecture", string(architecture)],
    ["general.type", string("model")],
    ["general.name", string(name)],
    ["general.size_label", string(sizeLabel(parameterCount))],
    own("block_count", uint32(c.layers)),
    own("context_length", uint32(c.maxPositions)),
    own("embedding_length", uint32(c.hiddenSize)),
    own("feed_forward_length", uint32(c.intermediateSize)),
    own("attention.head_count", uint32(c.heads)),
    own("attention.head_count_kv", uint32(c.kvHeads)),
    ...headDim,
    own(c.norm.kind === "rms" ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", float32(c.norm.eps)),
    own("vocab_size", uint32(c.vocabSize)),
    ...ropeEntries(architecture, c).map(([key, value]) => own(key, value)),
    ...peculiarEntries(architecture, c).map(([key, value]) => own(key, value)),
    ["general.file_type", uint32(FILE_TYPE[type])],
    ["general.quantization_version", uint32(QUANTIZATION_VERSION)],
  ];
}

/** The rotation of most layers is the model's; that of windowed layers may differ (Gemma 3). */
function ropeEntries(architecture: GgufArchitecture, c: DecoderConfig): Entry[] {
  if (c.ropes.length === 0) return [];
  const kinds = Array.from({ length: c.layers }, (_, i) => layerKind(c, i)).filter(({ rope }) => rope !== null);
  const ropeOf = (windowed: boolean): RopeConfig | undefined =>
    c.ropes[kinds.find(({ window }) => (window !== null) === windowed)?.rope ?? -1];
  const [whole, windowed] = [ropeOf(false), ropeOf(true)];
  const main = whole ?? windowed ?? c.ropes[0]!;
  const local = whole && windowed && windowed !== whole ? windowed : undefined;
  return [
    ["rope.dimension_count", uint32(main.size)],
    ["rope.freq_base", float32(main.theta)],
    ...(local ? [["rope.freq_base_swa", float32(local.theta)] as Entry] : []),
    ...scalingEntries(architecture, main),
  ];
}

function scalingEntries(architecture: GgufArchitecture, { scaling }: RopeConfig): Entry[] {
  switch (scaling.kind) {
    case "none":
    case "llama3": // said by the tensor rope_freqs
      return [];
    case "linear":
      return [["rope.scaling.type", string("linear")], factorEntry(scaling.factor)];
    case "yarn":
      return yarnEntries(architecture, scaling);
    case "longrope": // the factors are tensors
      return [
        ...(architecture === "phi3" ? [] : [["rope.scaling.type", string("longrope")] as Entry]),
        ["rope.scaling.original_context_length", uint32(scaling.originalMaxPositions)],
        ["rope.scaling.attn_factor", float32(scaling.attentionFactor)],
      ];
    case "dynamic":
      throw unknownScaling(architecture, "dynamic");
  }
}

const factorEntry = (factor: number): Entry => ["rope.scaling.factor", float32(factor)];

/** llama.cpp works out the attention factor from the factor, and its ramp has whole bounds. */
function yarnEntries(architecture: GgufArchitecture, scaling: RopeScaling & { readonly kind: "yarn" }): Entry[] {
  const { factor, betaFast, betaSlow, truncate, attentionFactor, originalMaxPositions } = scaling;
  const usual = 0.1 * Math.log(factor) + 1;
  if (!truncate || Math.abs(attentionFactor - usual) > 1e-6)
    throw unknownScaling(architecture, `yarn with the attention factor ${attentionFactor}`);
  return [
    ["rope.scaling.type", string("yarn")],
    factorEntry(factor),
    ["rope.scaling.original_context_length", uint32(originalMaxPositions)],
    ["rope.scaling.yarn_beta_fast", float32(betaFast)],
    ["rope.scaling.yarn_beta_slow", float32(betaSlow)],
  ];
}

const unknownScaling = (architecture: GgufArchitecture, kind: string): UsageError =>
  new UsageError("config.json", `rope type ${kind} is none that llama.cpp has for ${architecture}. Write safetensors.`, { kind });

function peculiarEntries(architecture: GgufArchitecture, c: DecoderConfig): Entry[] {
  switch (architecture) {
    case "gemma2":
      return [
        ["attn_logit_softcapping", float32(c.attention.softcap!)],
        ["final_logit_softcapping", float32(c.logitSoftcap!)],
        ...windowEntries(c, 2),
      ];
    case "gemma3":
      return [...(c.logitSoftcap === null ? [] : [["final_logit_softcapping", float32(c.logitSoftcap)] as Entry]), ...windowEntries(c, 6)];
    case "phi3": // llama.cpp tells Phi-4 from Phi-3 by a window of zero
      return [["attention.sliding_window", uint32(c.layerKinds[0]?.window ?? 0)]];
    case "gptneox":
      return [["use_parallel_residual", bool(c.normPlaces === "parallel")]];
    default:
      return [];
  }
}

/** The window, and which layers have it where that is not all but every `period`-th, as llama.cpp takes it to be. */
function windowEntries(c: DecoderConfig, period: number): Entry[] {
  const windows = Array.from({ length: c.layers }, (_, i) => layerKind(c, i).window);
  const size = windows.find((window) => window !== null);
  if (size === undefined) return [];
  const usual = windows.every((window, i) => (window !== null) === i % period < period - 1);
  const pattern: Entry = ["attention.sliding_window_pattern", bools(windows.map((window) => window !== null))];
  return [["attention.sliding_window", uint32(size!)], ...(usual ? [] : [pattern])];
}

const SCALES = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
] as const;

/** 135M, 1.7B: two digits at least (gguf-py utility.py, `size_label`). */
function sizeLabel(parameterCount: number): string {
  const [unit, letter] = SCALES.find(([least]) => parameterCount > least) ?? SCALES[3];
  const scaled = parameterCount / unit;
  return `${scaled < 9.5 ? scaled.toFixed(1) : Math.round(scaled)}${letter}`;
}
