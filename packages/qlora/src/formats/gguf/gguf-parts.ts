// A GGUF model in several files as one: the first says what the model is, each has some of its tensors. What a part says of its place is checked against its
// name's. Source: llama.cpp's gguf-split (split.no from 0, split.count, split.tensors.count).
import { FormatError, UnsupportedError } from "@qlora-js/core";
import type { ByteSource } from "../byte-source.ts";
import { quoted } from "../quoted.ts";
import { type GgufFile, type GgufTensor, openGguf } from "./gguf-file.ts";
import { shown } from "./metadata.ts";

/**
 * Opens the parts of a model, or the one file it is in. All sources are closed when the result is, or at once if this fails.
 * @param sources in the order of their names
 * @throws FormatError as `openGguf`, or if a part is not the one that its name says, or tensors are missing or there twice
 * @throws UnsupportedError if one file is given that is not named as the part that it is
 */
export async function openGgufParts(sources: readonly ByteSource[]): Promise<GgufFile> {
  const opened: GgufFile[] = [];
  let begun = 0;
  try {
    for (; begun < sources.length; begun++) opened.push(await openGguf(sources[begun]!));
    const [first] = opened as [GgufFile];
    for (const [no, part] of opened.entries()) checkPlace(part, no, opened.length);
    return { file: first.file, metadata: first.metadata, tensors: united(opened), close: () => closeAll(opened) };
  } catch (error) {
    // one that could not be opened is closed already
    await closeAll([...opened, ...sources.slice(begun + 1)]);
    throw error;
  }
}

async function closeAll(files: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const file of files) await file.close();
}

function checkPlace({ file, metadata }: GgufFile, no: number, count: number): void {
  const [ownNo, ownCount] = [metadata.get("split.no"), metadata.get("split.count")];
  if (count > 1) {
    if (ownNo === no && ownCount === count) return;
    const says = `"split.no" is ${shown(ownNo ?? "missing")} and "split.count" is ${shown(ownCount ?? "missing")}`;
    throw new FormatError(file, `is part ${no + 1} of ${count} by its name, but its ${says}. Are all parts of one model?`);
  }
  if (typeof ownCount !== "number" || ownCount <= 1) return;
  const what = `is one of ${ownCount} parts, and not named as parts are (model-00001-of-00003.gguf). Name all of them so, or put them together with llama.cpp's llama-gguf-split --merge.`;
  throw new UnsupportedError(`${file}: ${what}`);
}

function united(parts: readonly GgufFile[]): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const part of parts) {
    for (const [name, tensor] of part.tensors) {
      const earlier = tensors.get(name);
      if (earlier) throw new FormatError(part.file, `holds the tensor ${quoted(name)}, which ${earlier.file} holds too.`);
      tensors.set(name, tensor);
    }
  }
  for (const { file, metadata } of parts) {
    const count = metadata.get("split.tensors.count");
    if (count === undefined || count === tensors.size || parts.length === 1) continue;
    throw new FormatError(file, `says that all parts have ${shown(count)} tensors; they have ${tensors.size}. Are all parts of one model?`);
  }
  return tensors;
}
