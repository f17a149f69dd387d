// A folder that holds a model as GGUF, in one file or in parts: everything about the model is in there, whatever lies beside it.
import { FormatError } from "@qlora-js/core";
import type { ByteSource } from "../byte-source.ts";
import type { Folder } from "../folder.ts";
import type { ModelFiles } from "../model-files.ts";
import { quoted } from "../quoted.ts";
import { ggufPartNames } from "./gguf-part-names.ts";
import type { GgufModelOptions, OpenedGgufModel } from "./open-gguf-model.ts";

const isGguf = (file: string): boolean => /\.gguf$/i.test(file);

/** The name of the folder's GGUF file, or of the first of its parts; undefined where there is none, or several, or the weights are there as safetensors. */
export function ggufOf({ files }: Folder): string | undefined {
  const [file, ...others] = files.filter(isGguf);
  if (file === undefined || files.includes("model.safetensors") || files.includes("model.safetensors.index.json")) return undefined;
  const parts = new Set(ggufPartNames(file) ?? [file]);
  return others.every((other) => parts.has(other)) ? [...parts][0] : undefined;
}

/** Why none of several GGUF files is opened, in words; undefined where there are not several. */
export function severalGgufs({ files }: Folder): string | undefined {
  const found = files.filter(isGguf);
  return found.length > 1
    ? `holds ${found.length} GGUF files: ${found.slice(0, 8).join(", ")}${found.length > 8 ? ", …" : ""}. Give the path of one.`
    : undefined;
}

/**
 * Opens the GGUF file of a folder, with the other parts if it is one. Loads what reads GGUF only now, so that a page without such a file does not carry it.
 * @throws FormatError, UnsupportedError as `openGgufModel`; FormatError naming a part that is missing
 */
export async function openGgufOf(folder: Folder, file: string, options?: GgufModelOptions): Promise<OpenedGgufModel> {
  const parts = ggufPartNames(file) ?? [file];
  const there = new Set(folder.files);
  const missing = parts.find((part) => !there.has(part));
  if (missing !== undefined) {
    const what = `lacks the part ${quoted(missing)}; a model of ${parts.length} parts needs all of them side by side. Download it too.`;
    throw new FormatError(folder.name, what);
  }
  const { openGgufModel } = await import("./open-gguf-model.ts");
  const model = await openGgufModel(await openAll(folder, parts), options);
  const files: ModelFiles = { ...model.files, folder: folder.name, files: parts };
  return { ...model, files };
}

async function openAll(folder: Folder, files: readonly string[]): Promise<ByteSource[]> {
  const sources: ByteSource[] = [];
  try {
    for (const file of files) sources.push(await folder.open(file));
    return sources;
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}
