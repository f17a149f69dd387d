// A folder that holds a model as one GGUF file: everything about the model is in that file, whatever lies beside it.
import type { Folder } from "../folder.ts";
import type { ModelFiles } from "../model-files.ts";
import type { GgufModelOptions, OpenedGgufModel } from "./open-gguf-model.ts";

const isGguf = (file: string): boolean => /\.gguf$/i.test(file);

/** The name of the folder's GGUF file; undefined where there is none, or several, or the weights are there as safetensors. */
export function ggufOf({ files }: Folder): string | undefined {
  const [file, ...others] = files.filter(isGguf);
  const safetensors = files.includes("model.safetensors") || files.includes("model.safetensors.index.json");
  return others.length > 0 || safetensors ? undefined : file;
}

/** Why none of several GGUF files is opened, in words; undefined where there are not several. */
export function severalGgufs({ files }: Folder): string | undefined {
  const found = files.filter(isGguf);
  return found.length > 1
    ? `holds ${found.length} GGUF files: ${found.slice(0, 8).join(", ")}${found.length > 8 ? ", …" : ""}. Give the path of one.`
    : undefined;
}

/**
 * Opens the GGUF file of a folder. Loads what reads GGUF only now, so that a page without such a file does not carry it.
 * @throws FormatError, UnsupportedError as `openGgufModel`
 */
export async function openGgufOf(folder: Folder, file: string, options?: GgufModelOptions): Promise<OpenedGgufModel> {
  const { openGgufModel } = await import("./open-gguf-model.ts");
  const model = await openGgufModel(await folder.open(file), options);
  const files: ModelFiles = { ...model.files, folder: folder.name, files: [file] };
  return { ...model, files };
}
