// Which of llama.cpp's architectures a model is, and whether it is what that architecture computes: llama.cpp knows much of a model by its architecture
// alone, where config.json says it. What it would compute otherwise is refused; what differs only beyond some length is told.
// Source: llama.cpp v0.5.0, src/models/<architecture>.cpp.
import { type DecoderConfig, layerKind } from "../../config/decoder-config.ts";
import { UsageError } from "../../error.ts";
import type { GgufArchitecture } from "../gguf/tensor-names.ts";
import { quoted } from "../quoted.ts";

const BY_MODEL_TYPE: Readonly<Record<string, GgufArchitecture>> = {
  llama: "llama",
  mistral: "llama",
  qwen2: "qwen2",
  qwen3: "qwen3",
  gemma2: "gemma2",
  gemma3: "gemma3",
  gemma3_text: "gemma3",
  phi3: "phi3",
  gpt2: "gpt2",
  gpt_neox: "gptneox",
  olmo2: "olmo2",
  smollm3: "smollm3",
};

/** Architectures whose windows llama.cpp honours. */
const WINDOWED: ReadonlySet<GgufArchitecture> = new Set(["gemma2", "gemma3"]);

export interface KnownArchitecture {
  readonly architecture: GgufArchitecture;
  /** What llama.cpp computes otherwise, in whole sentences. */
  readonly warnings: readonly string[];
}

/**
 * @param folder the model's, for errors
 * @throws UsageError if llama.cpp cannot compute what this model computes
 */
export function ggufArchitecture(folder: string, config: DecoderConfig): KnownArchitecture {
  const { modelType } = config;
  const architecture = Object.hasOwn(BY_MODEL_TYPE, modelType) ? BY_MODEL_TYPE[modelType] : undefined;
  if (!architecture) {
    const what = `models of type ${quoted(modelType)} are not written as GGUF; ${Object.keys(BY_MODEL_TYPE).join(", ")} are. Use --as safetensors, or for an adapter --as peft.`;
    throw new UsageError(folder, what, { modelType });
  }
  for (const [differs, what] of differences(architecture, config)) if (differs) throw unlike(folder, architecture, what);
  const windows = Array.from({ length: config.layers }, (_, i) => layerKind(config, i).window ?? Number.POSITIVE_INFINITY);
  const shortest = Math.min(...windows);
  const warnings =
    WINDOWED.has(architecture) || shortest >= config.maxPositions
      ? []
      : [`llama.cpp has no attention windows for ${architecture}: beyond ${shortest} tokens it computes otherwise than this model.`];
  return { architecture, warnings };
}

function unlike(folder: string, architecture: GgufArchitecture, what: string): UsageError {
  return new UsageError(
    folder,
    `${what}, which llama.cpp does not do for ${architecture}. Use --as safetensors, or for an adapter --as peft.`,
    { architecture },
  );
}

/** What a model may say that the architecture has no way to say. */
function differences(architecture: GgufArchitecture, c: DecoderConfig): (readonly [boolean, string])[] {
  const rotated = c.ropes.every(({ size }) => size === c.headDim);
  const partial = architecture === "phi3" || architecture === "gptneox";
  return [
    [!partial && !rotated, `it turns ${c.ropes[0]?.size} of ${c.headDim} dimensions of a head`],
    [architecture !== "llama" && c.mlp.bias && !c.norm.kind.startsWith("layer"), "it has biases in its MLPs"],
    [architecture !== "llama" && c.attention.outputBias && c.norm.kind !== "layer", "it has a bias on attention's output"],
    [c.mlp.activation !== activationOf(architecture), `its activation is ${c.mlp.activation}`],
    [Math.abs(c.attention.scale / scaleOf(architecture, c) - 1) > 1e-6, `attention is scaled by ${c.attention.scale}`],
    [architecture === "gemma2" && (c.attention.softcap === null || c.logitSoftcap === null), "it has no soft caps"],
    [architecture !== "gemma2" && c.attention.softcap !== null, `it caps attention at ${c.attention.softcap}`],
    [architecture === "smollm3" && !everyFourthWithoutRope(c), "its layers without rotary positions are not every fourth"],
  ];
}

function activationOf(architecture: GgufArchitecture): DecoderConfig["mlp"]["activation"] {
  if (architecture === "gemma2" || architecture === "gemma3" || architecture === "gpt2") return "geluTanh";
  return architecture === "gptneox" ? "gelu" : "silu";
}

/** The 27-billion Gemmas, which llama.cpp knows by their number of layers, scale by the width of a head that the hidden size would give. */
function scaleOf(architecture: GgufArchitecture, c: DecoderConfig): number {
  const largest = (architecture === "gemma2" && c.layers === 46) || (architecture === "gemma3" && c.layers === 62);
  return (largest ? Math.floor(c.hiddenSize / c.heads) : c.headDim) ** -0.5;
}

const everyFourthWithoutRope = (c: DecoderConfig): boolean =>
  Array.from({ length: c.layers }, (_, i) => (layerKind(c, i).rope === null) === ((i + 1) % 4 === 0)).every(Boolean);
