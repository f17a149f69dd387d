// A model written as what was asked for, with progress.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UsageError } from "../../error.ts";
import { ggufChunks } from "../../formats/gguf-writer/gguf-layout.ts";
import { ggufModel } from "../../formats/gguf-writer/gguf-model.ts";
import type { ModelFiles } from "../../formats/model-files.ts";
import { writeModelFolder } from "../../merge/model-folder.ts";
import { writeFileSafely } from "../../safe-write.ts";
import { readTokenizerFiles } from "../../text/read-tokenizer.ts";
import { CountedWork } from "../counted-work.ts";
import type { ModelFolder } from "../open-model.ts";
import type { Output } from "../output.ts";
import { GGUF_TYPES, type OutputKind } from "./output-kind.ts";

export interface Written {
  readonly path: string;
  readonly bytes: number;
  readonly files: readonly string[];
  /** What other tools compute otherwise, in whole sentences. */
  readonly warnings: readonly string[];
}

export interface WriteOptions {
  readonly as: Exclude<OutputKind, "bnb-nf4">;
  readonly maxShardBytes: number;
  readonly output: Output;
}

/** @throws StorageError if it cannot be written, UsageError if it cannot be said in that format */
export async function writeModel(to: string, model: ModelFolder, files: ModelFiles, options: WriteOptions): Promise<Written> {
  const { as, maxShardBytes, output } = options;
  const total = [...files.tensors.values()].reduce((n, t) => n + t.byteLength, 0);
  const progress = new CountedWork(output, "writing").show;
  const type = GGUF_TYPES[as];
  try {
    if (type === undefined) {
      const names = await writeModelFolder(to, model.folder, files, { maxShardBytes, onProgress: (done) => progress(done, total) });
      const sizes = await Promise.all(names.map(async (file) => (await stat(join(to, file))).size));
      return { path: to, bytes: sizes.reduce((a, b) => a + b, 0), files: names, warnings: [] };
    }
    const { config } = model;
    if (config.kind !== "decoder") throw new UsageError("--as", ofNoDecoder(as, config.modelType), { as });
    const textFiles = await readTokenizerFiles(model.folder);
    const text = textFiles && model.tokenizer ? { files: textFiles, tokenizer: model.tokenizer } : undefined;
    const name = basename(resolve(model.folder.name));
    const { metadata, tensors, warnings } = ggufModel({ name, config, files, text }, type);
    await writeFileSafely(
      to,
      counted(ggufChunks(metadata, tensors), (done) => progress(Math.min(done, total), total)),
    );
    const { size } = await stat(to);
    const silent = text
      ? []
      : ["the model has no tokenizer.json, so the file has no tokenizer: llama.cpp can compute with it, but not read text."];
    return { path: to, bytes: size, files: [basename(to)], warnings: [...warnings, ...silent] };
  } finally {
    output.clearStatus();
  }
}

const ofNoDecoder = (as: string, modelType: string): string =>
  `${as} is written of models that only decode, and a ${modelType} reads with an encoder first. Use --as safetensors; llama.cpp's own convert_hf_to_gguf.py makes GGUF of that.`;

async function* counted(chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.byteLength;
    onBytes(bytes);
  }
}
