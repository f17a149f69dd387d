// llama.cpp itself, through the npm package node-llama-cpp, which brings it built for most platforms.
import { getLlama, type Llama, LlamaLogLevel, type LlamaModel, type Token } from "node-llama-cpp";

/** llama.cpp on the processor; undefined where the package has no binary for this platform. */
export async function openLlamaCpp(): Promise<Llama | undefined> {
  try {
    return await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
  } catch {
    return undefined;
  }
}

export interface Continuation {
  readonly model: string;
  /** A GGUF adapter. */
  readonly lora?: string;
  /** Token ids, or a text, which llama.cpp cuts by the file's tokenizer, special tokens and all. */
  readonly prompt: readonly number[] | string;
  readonly count: number;
}

export interface Continued {
  readonly prompt: number[];
  readonly ids: number[];
  readonly text: string;
  /** The template that the file brings. */
  readonly template: string | undefined;
}

/** The greedy continuation, up to `count` tokens or the end of the answer. */
export async function continueWithLlamaCpp(llama: Llama, { model: path, lora, prompt, count }: Continuation): Promise<Continued> {
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  try {
    const adapters = lora === undefined ? {} : { lora: { adapters: [{ filePath: lora, scale: 1 }] } };
    const context = await model.createContext({ contextSize: 256, threads: 1, sequences: 1, ...adapters });
    const given = typeof prompt === "string" ? model.tokenize(prompt, true) : (prompt as Token[]);
    const ids: Token[] = [];
    for await (const id of context.getSequence().evaluate([...given], { temperature: 0, yieldEogToken: true })) {
      if (typeof prompt === "string" && model.isEogToken(id)) break;
      ids.push(id);
      if (ids.length === count) break;
    }
    return { prompt: [...given], ids, text: typeof prompt === "string" ? model.detokenize(ids) : "", template: templateOf(model) };
  } finally {
    await model.dispose();
  }
}

const templateOf = (model: LlamaModel): string | undefined => model.fileInfo.metadata.tokenizer.chat_template;
